package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
)

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

// newMembers returns a group without members, of a topic that records flow into
// until end is called, which tells how many there are of each partition.
func newMembers(t *testing.T, brokers []string, parts int32, protocol kafka.GroupProtocol) (m *members, end func() int) {
	t.Helper()
	owner := newBus(t, brokers, partitions(parts))
	topic := open(t, owner)
	m = &members{
		t: t, brokers: brokers, topic: topic.Name, group: "group-of-" + topic.Name, protocol: protocol, ledger: newLedger(),
	}
	if protocol == kafka.Consumer {
		missSoon(t, brokers, m.group)
	}
	return m, flow(t, owner, parts, m.ledger)
}

// oftenAsked has an embedded broker want heartbeats of the Consumer protocol each
// 200 ms: it does not heed what a group was given.
func oftenAsked() kfake.Opt {
	return kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "200"})
}

// missSoon has a group in the Consumer protocol miss a silent member after 6 s, as
// in Classic, and not after 45. Brokers that allow no group less are waited for.
func missSoon(t *testing.T, brokers []string, group string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	require.NoError(t, err)
	defer client.Close()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for name, value := range map[string]string{"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000"} {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value, config.Op = name, &value, kmsg.IncrementalAlterConfigOpSet
		resource.Configs = append(resource.Configs, config)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(t.Context(), client)
	require.NoError(t, err)
	require.Len(t, response.Resources, 1)
	err = kerr.ErrorForCode(response.Resources[0].ErrorCode)
	if errors.Is(err, kerr.InvalidConfig) {
		t.Logf("these brokers take their time: %v", err)
		return
	}
	require.NoError(t, err)
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
	n, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
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
	}()
	end = func() int {
		stop()
		<-ended
		return n
	}
	t.Cleanup(func() { end() })
	return end
}
