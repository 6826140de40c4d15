package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
)

// TestGroup has members come and go, in order and by kill -9, while records go
// on coming in.
func TestGroup(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) {
		t.Parallel()
		testGroup(t, startCluster(t).ListenAddrs(), kafka.Classic, quick)
	})
	t.Run("EmbeddedConsumer", func(t *testing.T) {
		t.Parallel()
		testGroup(t, startCluster(t, oftenAsked()).ListenAddrs(), kafka.Consumer)
	})
	t.Run("Real", func(t *testing.T) {
		t.Parallel()
		testGroup(t, realBrokers(t), kafka.Classic)
	})
	t.Run("RealConsumer", func(t *testing.T) {
		t.Parallel()
		testGroup(t, realBrokers(t), kafka.Consumer)
	})
}

func testGroup(t *testing.T, brokers []string, protocol kafka.GroupProtocol, change ...func(*kafka.Config)) {
	t.Helper()
	const parts = 6
	m, end := newMembers(t, brokers, parts, protocol)
	m.change = change
	admin := newAdmin(t, brokers)

	a, b, c := m.join("a"), m.join("b"), m.join("c")
	m.eventually(func() bool { return shared(parts, 2, 2, a.clerk, b.clerk, c.clerk) }, "three share the partitions")
	before := []map[int32]string{a.stories(), b.stories(), c.stories()}

	d := m.join("d")
	m.eventually(func() bool { return shared(parts, 1, 2, a.clerk, b.clerk, c.clerk, d.clerk) }, "the fourth has its share")
	moved := 0
	for i, of := range []member{a, b, c} {
		for p, story := range before[i] {
			if now := of.stories()[p]; now != story {
				require.Equal(t, story+" revoke", now, "partition %d of %s", p, of.name)
				require.Contains(t, d.holds(), p)
				moved++
			}
		}
	}
	require.Len(t, d.holds(), moved, "only what the fourth got was taken from the others; what stayed was not interrupted")

	d.kill()
	m.eventually(func() bool { return shared(parts, 2, 2, a.clerk, b.clerk, c.clerk) }, "what the killed one had is taken over")
	m.goesOn(parts)
	require.NotContains(t, m.ledger.appliedBy(), "d")

	known := m.size(admin)
	b.stop()
	if known > 0 {
		require.Equal(t, known-1, m.size(admin), "who stops leaves the group before Run returns")
	}
	m.eventually(func() bool { return shared(parts, 3, 3, a.clerk, c.clerk) }, "what the stopped one had is taken over")
	m.goesOn(parts)

	e := m.join("e")
	m.eventually(func() bool { return shared(parts, 2, 2, a.clerk, c.clerk, e.clerk) }, "one that is added has its share")
	n := end()
	m.eventually(func() bool { return m.ledger.count(parts) == n }, "everything is consumed")
	m.ledger.requireOnce(t, parts, n)
}
