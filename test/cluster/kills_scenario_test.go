package cluster_test

import (
	"testing"
	"time"
)

// testKills kills each kind of process and each engine with -9 while commands
// come in; each comes back.
func testKills(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 2, 2, 4)
	l := b.newLoad(*accounts, *pace)
	l.start()
	back := func() {}
	restartBroker := func() { back = e.beginRestart(t, "kafka") }
	faults := []struct {
		name       string
		kill, mend func()
	}{
		// While a broker comes back, the processes are killed.
		{"a broker", func() { e.kill(t, b.follower()) }, restartBroker},
		{"a command process", b.command[0].kill, b.command[0].start},
		{"the relay", func() { b.publisher().kill() }, b.restartDead},
		{"a query process", b.query[0].kill, b.query[0].start},
		{"the broker that leads", func() { back(); e.kill(t, b.leader()) }, restartBroker},
		{"a notification process", b.notify[0].kill, b.notify[0].start},
		{"the other command process", b.command[1].kill, b.command[1].start},
		{"the primary", func() { back(); e.kill(t, e.primary(t)) }, func() { e.restart(t, "mongodb") }},
		{"MySQL", func() { e.kill(t, e.mysql) }, func() { e.restart(t, "mysql") }},
	}
	step := *commands / (2 * len(faults))
	for _, fault := range faults {
		l.await(step)
		fault.kill()
		killed, acked := time.Now(), l.acked.Load()
		l.await(1)
		t.Logf("%s killed after %d commands; the next is acknowledged after %v", fault.name, acked, time.Since(killed).Round(time.Millisecond))
		l.await(step)
		before, began := l.acked.Load(), time.Now()
		fault.mend()
		t.Logf("… started again in %v, %d commands", time.Since(began).Round(time.Millisecond), l.acked.Load()-before)
	}
	l.finish()
	b.awaitReady()
	b.judge(l)
}

// publisher is the relay process that has the lease.
func (b *bank) publisher() *process {
	b.t.Helper()
	var found *process
	await(b.t, func() string {
		for _, p := range b.relay {
			if metric(p, "passbook_relay_running") == 1 {
				found = p
			}
		}
		return unless(found != nil, "no relay runs")
	})
	return found
}

// restartDead starts again what was killed of the relays.
func (b *bank) restartDead() {
	b.t.Helper()
	for _, p := range b.relay {
		if !p.current.Load().Running() {
			p.start()
		}
	}
}

// leader is the broker that leads the first partition.
func (b *bank) leader() *node {
	b.t.Helper()
	return b.engines.brokers[b.leaderID()]
}

// follower is a broker that does not.
func (b *bank) follower() *node {
	b.t.Helper()
	return b.engines.brokers[(b.leaderID()+1)%int32(len(b.engines.brokers))]
}

func (b *bank) leaderID() int32 {
	b.t.Helper()
	leader := int32(-1)
	await(b.t, func() string {
		topics, err := b.admin.ListTopics(b.t.Context(), b.topic)
		if err == nil && topics.Error() == nil {
			leader = topics[b.topic].Partitions[0].Leader
		}
		return unless(leader >= 0, "no broker leads: %v", err)
	})
	return leader
}
