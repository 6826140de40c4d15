package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/kafka"
)

// TestGroup has members come and go, in order and by kill -9, while records go
// on coming in.
func TestGroup(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) {
		testGroup(t, startCluster(t).ListenAddrs(), kafka.Classic, quick)
	})
	t.Run("EmbeddedConsumer", func(t *testing.T) {
		soon := kfake.BrokerConfigs(map[string]string{
			"group.consumer.session.timeout.ms": "3000", "group.consumer.heartbeat.interval.ms": "200",
		})
		testGroup(t, startCluster(t, soon).ListenAddrs(), kafka.Consumer)
	})
	t.Run("Real", func(t *testing.T) { testGroup(t, realBrokers(t), kafka.Classic) })
	t.Run("RealConsumer", func(t *testing.T) { testGroup(t, realBrokers(t), kafka.Consumer) })
}

// members are those of one group.
type members struct {
	t        *testing.T
	brokers  []string
	topic    string
	group    string
	protocol kafka.GroupProtocol
	change   []func(*kafka.Config)
	ledger   *ledger
}

// member is one of them, on a network of its own.
type member struct {
	*clerk
	stop func()
	kill func()
}

// join adds a member.
func (m *members) join(name string, change ...func(*kafka.Config)) member {
	m.t.Helper()
	n := newNetwork()
	b := newBus(m.t, m.brokers, append(append([]func(*kafka.Config){func(c *kafka.Config) {
		c.Topic, c.GroupProtocol, c.Options, c.RunMax = m.topic, m.protocol, []kgo.Opt{n.dialer()}, 5
	}}, m.change...), change...)...)
	c := newClerk(name, m.ledger)
	return member{clerk: c, stop: run(m.t, b, m.group, c), kill: n.kill}
}

func (m *members) eventually(condition func() bool, what string) {
	m.t.Helper()
	started := time.Now()
	require.Eventually(m.t, condition, 3*time.Minute, 5*time.Millisecond, what)
	m.t.Logf("after %s: %s", time.Since(started).Round(10*time.Millisecond), what)
}

// size is how many members the brokers know, -1 if they do not tell now.
func (m *members) size(admin *kadm.Client) int {
	if m.protocol == kafka.Consumer {
		described, err := admin.DescribeConsumerGroups(m.t.Context(), m.group)
		if err != nil || described[m.group].Err != nil {
			return -1
		}
		return len(described[m.group].Members)
	}
	described, err := admin.DescribeGroups(m.t.Context(), m.group)
	if err != nil || described[m.group].Err != nil {
		return -1
	}
	return len(described[m.group].Members)
}

func testGroup(t *testing.T, brokers []string, protocol kafka.GroupProtocol, change ...func(*kafka.Config)) {
	t.Helper()
	const parts = 6
	owner := newBus(t, brokers, partitions(parts))
	topic := open(t, owner)
	m := &members{
		t: t, brokers: brokers, topic: topic.Name, group: "group-of-" + topic.Name,
		protocol: protocol, change: change, ledger: newLedger(),
	}
	admin := newAdmin(t, brokers)
	end := flow(t, owner, parts, m.ledger)

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

// goesOn waits until something new was applied of each partition.
func (m *members) goesOn(partitions int32) {
	m.t.Helper()
	before := m.ledger.count(partitions)
	m.eventually(func() bool { return m.ledger.count(partitions) > before+3 }, "all partitions go on")
}

// flow publishes to all partitions for as long as the ledger follows, until end
// is called, which tells how many there are of each.
func flow(t *testing.T, b *kafka.Bus, partitions int32, l *ledger) (end func() int) {
	t.Helper()
	p := newProducer(t, b, open(t, b))
	ctx, stop := context.WithCancel(t.Context())
	total := make(chan int, 1)
	go func() {
		n := 0
		for pace := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-pace.C {
			if n > l.count(partitions)+500 {
				continue // somebody is missing
			}
			round := records(0, n, 1)
			for partition := range partitions - 1 {
				round = append(round, records(partition+1, n, 1)...)
			}
			if _, err := p.Publish(context.WithoutCancel(ctx), round); err != nil {
				t.Error(err)
				break
			}
			n++
		}
		total <- n
	}()
	t.Cleanup(stop)
	return func() int {
		stop()
		return <-total
	}
}
