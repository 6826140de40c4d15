package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

// TestRun_PartitionsAdded has the consumer get the new one, told of the count.
func TestRun_PartitionsAdded(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testPartitionsAdded(t, startCluster(t).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testPartitionsAdded(t, realBrokers(t)) })
}

func testPartitionsAdded(t *testing.T, brokers []string) {
	t.Helper()
	b := newBus(t, brokers, partitions(1))
	topic := open(t, b)
	publish(t, b, topic, records(0, 0, 5))
	consumer := newTally()
	run(t, b, "group-of-"+topic.Name, consumer)
	consumer.waitFor(t, 0, numbers(5))
	former := newProducer(t, b, topic)

	_, err := newAdmin(t, brokers).CreatePartitions(t.Context(), 1, topic.Name)
	require.NoError(t, err)
	for _, broker := range brokers {
		eventually(t, func() bool { return partitionsAt(t, broker, topic.Name) == 2 }, "each of the brokers has heard of it")
	}
	now := open(t, b)
	require.Equal(t, int32(2), now.Partitions)
	_, err = former.Publish(within(t), records(0, 5, 1))
	require.ErrorIs(t, err, bus.ErrTopicChanged, "keys belong elsewhere now")
	require.ErrorContains(t, err, "1 partitions, and has id "+topic.ID+" and 2", "it is named")
	publish(t, b, now, records(1, 0, 5))
	consumer.waitFor(t, 1, numbers(5))
	require.Equal(t, int32(2), consumer.assigned(1)[0].Topic.Partitions)
	require.Equal(t, numbers(5), consumer.got(0))
}

// partitionsAt is how many partitions a topic has, as far as one broker knows.
func partitionsAt(t *testing.T, broker, topic string) int {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	require.NoError(t, err)
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = new(topic)
	request.Topics = append(request.Topics, asked)
	answer, err := client.SeedBrokers()[0].Request(within(t), request)
	require.NoError(t, err)
	return len(answer.(*kmsg.MetadataResponse).Topics[0].Partitions)
}

// TestRun_TopicRecreated has the topic deleted and made again under a producer
// and the members of a group.
func TestRun_TopicRecreated(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testTopicRecreated(t, startCluster(t).ListenAddrs(), kafka.Classic) })
	t.Run("EmbeddedThree", func(t *testing.T) {
		testTopicRecreated(t, startCluster(t, kfake.NumBrokers(3)).ListenAddrs(), kafka.Classic)
	})
	t.Run("Real", func(t *testing.T) { testTopicRecreated(t, realBrokers(t), kafka.Classic) })
	t.Run("RealConsumer", func(t *testing.T) { testTopicRecreated(t, realBrokers(t), kafka.Consumer) })
}

func testTopicRecreated(t *testing.T, brokers []string, protocol kafka.GroupProtocol) {
	t.Helper()
	book := &logBook{}
	b := newBus(t, brokers, func(c *kafka.Config) { c.Logger, c.GroupProtocol = book.logger(), protocol })
	former := open(t, b)
	group := "group-of-" + former.Name
	if protocol == kafka.Consumer {
		missSoon(t, brokers, group)
	}
	p := newProducer(t, b, former)
	_, err := p.Publish(within(t), append(records(0, 0, 20), records(1, 0, 20)...))
	require.NoError(t, err)
	members := []*lives{newLives(), newLives()}
	for _, m := range members {
		run(t, b, group, m)
	}
	eventually(t, func() bool { return both(members, former.ID, 20) }, "all is consumed")

	topic := recreate(t, newAdmin(t, brokers), b)
	_, err = p.Publish(within(t), records(0, 20, 1))
	require.ErrorIs(t, err, bus.ErrTopicChanged)
	require.ErrorContains(t, err, former.Name+" had id "+former.ID, "it is named")
	publish(t, b, topic, append(records(0, 100, 10), records(1, 100, 10)...))
	eventually(t, func() bool { return both(members, topic.ID, 10) }, "the new one is consumed from its beginning")
	require.True(t, both(members, former.ID, 20), "and nothing of it is taken for the former")
	// The first of them that is told reads all of it, should the others be told later.
	eventually(t, func() bool { return book.count("the topic has changed") >= len(members) }, "each has begun anew")
	require.Equal(t, len(members), book.count("the topic has changed"))
	require.Equal(t, len(members), book.count(former.ID))
}

// lives is a consumer that counts by life of the topic. It begins where it was
// in that life.
type lives struct {
	*tally
	of map[string]map[int32]int64 // topic id, partition, next
}

func newLives() *lives { return &lives{tally: newTally(), of: make(map[string]map[int32]int64)} }

func (l *lives) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[a.Topic.ID] == nil {
		l.of[a.Topic.ID] = make(map[int32]int64)
	}
	return l.of[a.Topic.ID][a.Partition], nil
}

func (l *lives) Consume(_ context.Context, r bus.Run) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := r.Records[len(r.Records)-1].Offset + 1
	l.of[r.Topic.ID][r.Partition] = next
	return next, nil
}

// both tells whether partitions 0 and 1 of a life were read up to n, by
// whichever member, and no further by any.
func both(members []*lives, id string, n int64) bool {
	var furthest [2]int64
	for _, m := range members {
		m.mu.Lock()
		for p := range furthest {
			furthest[p] = max(furthest[p], m.of[id][int32(p)])
		}
		m.mu.Unlock()
	}
	return furthest == [2]int64{n, n}
}
