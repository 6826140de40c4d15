package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
)

// TestGroup_RollingRestart restarts static members one after the other: each has
// its own partitions back, and the others never notice.
func TestGroup_RollingRestart(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testRollingRestart(t, startCluster(t).ListenAddrs(), kafka.Classic) })
	t.Run("EmbeddedConsumer", func(t *testing.T) { testRollingRestart(t, startCluster(t, oftenAsked()).ListenAddrs(), kafka.Consumer) })
	t.Run("Real", func(t *testing.T) { testRollingRestart(t, realBrokers(t), kafka.Classic) })
	t.Run("RealConsumer", func(t *testing.T) { testRollingRestart(t, realBrokers(t), kafka.Consumer) })
}

func testRollingRestart(t *testing.T, brokers []string, protocol kafka.GroupProtocol) {
	t.Helper()
	const parts = 6
	m, end := newMembers(t, brokers, parts, protocol)
	static := func(name string) member {
		return m.join(name, func(c *kafka.Config) { c.InstanceID = name + "-of-" + m.topic })
	}
	all := []member{static("a"), static("b"), static("c")}
	m.eventually(func() bool { return shared(parts, 2, 2, all[0].clerk, all[1].clerk, all[2].clerk) }, "three share the partitions")
	for i, former := range all {
		held := former.holds()
		others := []member{all[(i+1)%3], all[(i+2)%3]}
		var before []map[int32]string
		for _, other := range others {
			before = append(before, other.stories())
		}
		former.stop()
		require.Empty(t, former.holds())
		all[i] = static(former.name)
		m.eventually(func() bool { return len(all[i].holds()) == len(held) }, former.name+" is back")
		m.goesOn(parts)
		require.Equal(t, held, all[i].holds())
		for j, other := range others {
			require.Equal(t, before[j], other.stories(), "the others notice nothing")
		}
	}
	n := end()
	m.eventually(func() bool { return m.ledger.count(parts) == n }, "everything is consumed")
	m.ledger.requireOnce(t, parts, n)
}

// TestGroup_Mixed has members of both protocols in one group, as when they are
// changed one after the other.
func TestGroup_Mixed(t *testing.T) {
	t.Parallel()
	brokers := realBrokers(t)
	const parts = 6
	m, end := newMembers(t, brokers, parts, kafka.Classic)
	missSoon(t, brokers, m.group)
	a, b := m.join("a"), m.join("b")
	m.eventually(func() bool { return shared(parts, 3, 3, a.clerk, b.clerk) }, "two share the partitions")
	a.stop()
	m.protocol = kafka.Consumer
	c := m.join("c")
	m.eventually(func() bool { return shared(parts, 3, 3, b.clerk, c.clerk) }, "one of each kind share them")
	m.goesOn(parts)
	b.stop()
	d := m.join("d")
	m.eventually(func() bool { return shared(parts, 3, 3, c.clerk, d.clerk) }, "two of the other kind share them")
	admin := newAdmin(t, brokers)
	m.eventually(func() bool { return m.size(admin) == 2 }, "it is a group of the other kind")
	m.protocol = kafka.Classic
	c.stop()
	e := m.join("e")
	m.eventually(func() bool { return shared(parts, 3, 3, d.clerk, e.clerk) }, "and back again")
	n := end()
	m.eventually(func() bool { return m.ledger.count(parts) == n }, "everything is consumed")
	m.ledger.requireOnce(t, parts, n)
}

// TestGroup_InstanceTwice has two members under one static id. Only one of them
// may be in the group; that the other is not is told, and nothing gets lost.
func TestGroup_InstanceTwice(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testInstanceTwice(t, startCluster(t).ListenAddrs(), kafka.Classic) })
	t.Run("Real", func(t *testing.T) { testInstanceTwice(t, realBrokers(t), kafka.Classic) })
	t.Run("RealConsumer", func(t *testing.T) { testInstanceTwice(t, realBrokers(t), kafka.Consumer) })
}

func testInstanceTwice(t *testing.T, brokers []string, protocol kafka.GroupProtocol) {
	t.Helper()
	const parts = 3
	m, end := newMembers(t, brokers, parts, protocol)
	book := &logBook{}
	m.change = []func(*kafka.Config){func(c *kafka.Config) { c.InstanceID, c.Logger = "same-of-"+m.topic, book.logger() }}
	first := m.join("first")
	m.eventually(func() bool { return len(first.holds()) == parts }, "the first has all")
	second := m.join("second")
	m.eventually(func() bool { return book.count("INSTANCE_ID") > 0 }, "it is told")
	t.Log(book.text())
	second.stop()
	m.goesOn(parts)
	n := end()
	m.eventually(func() bool { return m.ledger.count(parts) == n }, "everything is consumed")
	m.ledger.requireOnce(t, parts, n)
}
