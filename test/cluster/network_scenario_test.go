package cluster_test

import (
	"testing"
	"time"
)

// testNetwork leaves all processes alone and breaks what is between them.
func testNetwork(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 2, 2, 4)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	sides := []struct {
		name  string
		nodes []*node
	}{
		{"all members", e.members}, {"the primary", []*node{e.primary(t)}},
		{"all brokers", e.brokers}, {"one broker", e.brokers[:1]},
		{"MySQL", []*node{e.mysql}},
	}
	faults := []struct {
		name   string
		toxics []string
	}{{"latency", latency}, {"resets", resets}, {"mute", mute}, {"half-open", halfOpen}}
	step := *commands / 100
	for _, side := range sides {
		for _, fault := range faults {
			before := l.acked.Load()
			cure := poison(t, fault.toxics, side.nodes...)
			moment(*blink)
			cure()
			during, cured := l.acked.Load()-before, time.Now()
			l.await(1)
			t.Logf("%s to %s: %d commands acknowledged in %v, the next %v after its end", fault.name, side.name, during, *blink,
				time.Since(cured).Round(time.Millisecond))
			l.await(step)
		}
	}
	l.finish()
	b.awaitReady()
	b.judge(l)
}

// testLostConnections has half of the connections go silent for good, as a
// network device does that forgets them: who waits on one has to notice.
func testLostConnections(t *testing.T, e *engines) {
	if !*long {
		t.Skip("it takes as long as the longest time-out: use -long")
	}
	b := e.newBank(t)
	b.open(2, 2, 2, 4)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	for _, nodes := range [][]*node{e.brokers, {e.mysql}, e.members} {
		cure := poison(t, lostHalf, nodes...)
		began := time.Now()
		l.await(*commands / 10)
		b.awaitPublished(l.acked.Load() / 2)
		t.Logf("%s: commands and relay went on over lost connections, after %v", nodes[0].engine, time.Since(began).Round(time.Millisecond))
		moment(*blink)
		cure()
	}
	l.finish()
	b.awaitReady()
	b.judge(l)
}
