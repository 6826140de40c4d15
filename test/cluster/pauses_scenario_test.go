package cluster_test

import (
	"testing"
	"time"
)

// testPauses has a process of each kind sleep for so long that others take its
// place, and wake up as if nothing had happened: what it was about to write is
// old by then.
func testPauses(t *testing.T, e *engines) {
	if !*long {
		t.Skip("it takes as long as the longest lease: use -long")
	}
	b := e.newBank(t)
	b.open(2, 2, 2, 2)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	// The lease of a relay is 10 s, the session of a consumer 6 s.
	const longer = 15 * time.Second
	for range 2 { // once as who has the most, once perhaps as who got it back
		relay := b.publisher()
		for _, p := range []*process{relay, b.query[0], b.notify[0], b.command[0]} {
			l.await(*commands / 20)
			before, paused := l.acked.Load(), p.current.Load()
			paused.Pause()
			moment(longer)
			l.await(1)
			paused.Resume()
			t.Logf("a %s process slept for %v, %d commands meanwhile", p.role, longer, l.acked.Load()-before)
		}
		l.await(*commands / 20)
	}
	l.finish()
	b.awaitReady()
	b.judge(l)
}
