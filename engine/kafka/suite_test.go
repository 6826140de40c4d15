package kafka_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/bus/bustest"
)

func TestSuite_Embedded(t *testing.T) { runEmbedded(t) }

// TestSuite_Embedded30 is the same with brokers that know only what Kafka 3.0
// knew: records are produced and fetched by the topic's name.
func TestSuite_Embedded30(t *testing.T) { runEmbedded(t, kfake.MaxVersions(v30())) }

// TestSuite_EmbeddedThree is the same with partitions led by three brokers.
func TestSuite_EmbeddedThree(t *testing.T) { runEmbedded(t, kfake.NumBrokers(3)) }

func v30() *kversion.Versions { return kversion.V3_0_0() }

func runEmbedded(t *testing.T, options ...kfake.Opt) {
	t.Helper()
	t.Parallel()
	bustest.Run(t, bustest.Options{New: func(tb testing.TB) bustest.Bus {
		c := startCluster(tb, options...)
		name := "suite-" + rand.Text()
		b := overBrokers(tb, c.ListenAddrs(), name)
		b.Refuse = func(_ testing.TB, partition int32, after int) { refuse(c, name, partition, after) }
		return b
	}})
}

// TestSuite_Real runs against the brokers in PASSBOOK_TEST_KAFKA.
func TestSuite_Real(t *testing.T) {
	t.Parallel()
	brokers := realBrokers(t)
	bustest.Run(t, bustest.Options{
		Patience: time.Minute,
		New:      func(tb testing.TB) bustest.Bus { return overBrokers(tb, brokers, "suite-"+rand.Text()) },
	})
}

// overBrokers returns a bus under test, whose topic has that name.
func overBrokers(tb testing.TB, brokers []string, name string) bustest.Bus {
	tb.Helper()
	const partitions = 3
	again := func(tb testing.TB) *kafka.Bus {
		return newBus(tb, brokers, func(c *kafka.Config) {
			c.Topic, c.Partitions, c.RunMax = name, partitions, 100
		})
	}
	b, admin := again(tb), newAdmin(tb, brokers)
	tb.Cleanup(func() {
		_, err := admin.DeleteTopic(context.WithoutCancel(tb.Context()), name)
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			tb.Errorf("delete topic %s: %v", name, err)
		}
	})
	return bustest.Bus{
		Partitions:   partitions,
		Feed:         b,
		Again:        func(tb testing.TB) bus.Feed { return again(tb) },
		Subscriber:   b,
		Groups:       true,
		TopicMayMiss: true,
		Recreate:     func(tb testing.TB) { recreate(tb, admin, b) },
		Trim: func(tb testing.TB, partition int32, before int64) {
			var offsets kadm.Offsets
			offsets.AddOffset(name, partition, before, -1)
			_, err := admin.DeleteRecords(tb.Context(), offsets)
			require.NoError(tb, err)
		},
		SkipOffsets: func(tb testing.TB, partition int32) {
			topic := open(tb, b)
			end := func() int64 {
				bounds, err := b.Bounds(tb.Context(), topic)
				if err != nil {
					return -1
				}
				return bounds[partition].End
			}
			before := end()
			skipOffsets(tb, brokers, name, partition)
			eventually(tb, func() bool { return end() > before }, "the marker is written some time after the answer")
		},
	}
}

// recreate deletes the topic and opens it again.
func recreate(tb testing.TB, admin *kadm.Client, b *kafka.Bus) bus.Topic {
	tb.Helper()
	former := open(tb, b)
	_, err := admin.DeleteTopic(tb.Context(), former.Name)
	require.NoError(tb, err)
	var topic bus.Topic
	eventually(tb, func() bool {
		topic, err = b.Open(tb.Context())
		return err == nil && topic.ID != former.ID
	}, "the topic is to be made again")
	return topic
}

// refuse has the broker refuse one batch for a partition, and take those
// before and behind it.
func refuse(c *kfake.Cluster, topic string, partition int32, after int) {
	seen := 0
	c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{partition},
		Err: kerr.InvalidRecord, Count: 1,
		When: func(kmsg.Request) bool {
			seen++
			return seen > after
		},
	})
}

// skipOffsets takes back a transaction in which nothing was written: that
// leaves nothing but the marker of its end, at an offset of its own.
func skipOffsets(tb testing.TB, brokers []string, topic string, partition int32) {
	tb.Helper()
	// In newer versions some of these requests are for brokers only.
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MaxVersions(kversion.V3_0_0()))
	require.NoError(tb, err)
	defer client.Close()
	id := "skip-" + rand.Text()

	begin := kmsg.NewPtrInitProducerIDRequest()
	begin.TransactionalID, begin.TransactionTimeoutMillis = &id, 60_000
	producer, err := begin.RequestWith(tb.Context(), client)
	require.NoError(tb, err)
	require.NoError(tb, kerr.ErrorForCode(producer.ErrorCode))

	add := kmsg.NewPtrAddPartitionsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch = id, producer.ProducerID, producer.ProducerEpoch
	of := kmsg.NewAddPartitionsToTxnRequestTopic()
	of.Topic, of.Partitions = topic, []int32{partition}
	add.Topics = append(add.Topics, of)
	added, err := add.RequestWith(tb.Context(), client)
	require.NoError(tb, err)
	require.NoError(tb, kerr.ErrorForCode(added.Topics[0].Partitions[0].ErrorCode))

	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = id, producer.ProducerID, producer.ProducerEpoch, false
	ended, err := end.RequestWith(tb.Context(), client)
	require.NoError(tb, err)
	require.NoError(tb, kerr.ErrorForCode(ended.ErrorCode))
}
