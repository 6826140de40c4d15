package kafka_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

// produceWatch counts the Produce requests, and how many are on their way at
// once.
type produceWatch struct {
	mu                sync.Mutex
	total, away, most int
}

func (w *produceWatch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key != int16(kmsg.Produce) || err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total++
	w.away++
	w.most = max(w.most, w.away)
}

func (w *produceWatch) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.Produce) && err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.away--
	}
}

// TestPublish_OneBatchOfAPartitionAtATime has one broker lead all partitions:
// then at most one request is on its way, and each chunk takes one.
func TestPublish_OneBatchOfAPartitionAtATime(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) { testOneBatch(t, startCluster(t).ListenAddrs()) })
	t.Run("Embedded30", func(t *testing.T) { testOneBatch(t, startCluster(t, kfake.MaxVersions(v30())).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) {
		brokers := realBrokers(t)
		known, err := newAdmin(t, brokers).ListBrokers(t.Context())
		require.NoError(t, err)
		if len(known) > 1 {
			t.Skip("each of several brokers has a request on its way")
		}
		testOneBatch(t, brokers)
	})
}

func testOneBatch(t *testing.T, brokers []string) {
	t.Helper()
	watch := &produceWatch{}
	b := newBus(t, brokers, func(c *kafka.Config) { c.Options = []kgo.Opt{kgo.WithHooks(watch)} })
	topic := open(t, b)
	large := make([]bus.Placed, 0, 8000)
	for i := range cap(large) {
		large = append(large, sized(int32(i%3), 1, 1000)...)
	}
	for range 5 {
		p := newProducer(t, b, topic)
		_, err := p.Publish(within(t), large)
		require.NoError(t, err)
		_, err = p.Publish(within(t), large[:100])
		require.NoError(t, err)
		p.Close()
	}
	watch.mu.Lock()
	defer watch.mu.Unlock()
	require.Equal(t, 1, watch.most)
	// 8000 records of 1 KiB in three partitions are six chunks, 100 are one.
	require.Equal(t, 5*(6+1), watch.total)
	stored := 0
	for partition := range topic.Partitions {
		stored += len(values(t, b, topic, partition))
	}
	require.Equal(t, 5*(8000+100), stored)
}

// TestPublish_Refused has a broker refuse one batch for good, in a load that
// would go on.
func TestPublish_Refused(t *testing.T) {
	for _, code := range []*kerr.Error{
		kerr.InvalidRecord, kerr.MessageTooLarge, kerr.TopicAuthorizationFailed, kerr.UnknownServerError,
		kerr.CorruptMessage, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch,
	} {
		t.Run(code.Message, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			b := newBus(t, c.ListenAddrs())
			topic := open(t, b)
			p := newProducer(t, b, topic)
			refuseWith(c, topic.Name, 1, 10, code)
			failed := -1
			for i := range 50 {
				var batch []bus.Placed
				for partition := range topic.Partitions {
					batch = append(batch, records(partition, 4*i, 4)...)
				}
				_, err := p.Publish(within(t), batch)
				if failed < 0 && err != nil {
					failed = i
					require.ErrorContains(t, err, code.Message)
				}
				require.Equal(t, failed >= 0, err != nil, "once it has failed it is over")
			}
			require.Equal(t, 10, failed)
			p.Close()
			require.Equal(t, numbers(40), values(t, b, topic, 1))
			for _, partition := range []int32{0, 2} {
				require.Contains(t, [][]string{numbers(40), numbers(44)}, values(t, b, topic, partition))
			}
		})
	}
}

func refuseWith(c *kfake.Cluster, topic string, partition int32, after int, code *kerr.Error) {
	seen := 0
	c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{partition}, Err: code,
		When: func(kmsg.Request) bool {
			seen++
			return seen > after
		},
	})
}

// TestPublish_Passing has brokers answer with what passes, some of it after
// they have stored the batch.
func TestPublish_Passing(t *testing.T) {
	for _, code := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.NotEnoughReplicas, kerr.KafkaStorageError,
		kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend,
	} {
		t.Run(code.Message, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			b := newBus(t, c.ListenAddrs())
			topic := open(t, b)
			p := newProducer(t, b, topic)
			faults := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic.Name, Partitions: []int32{0}, Err: code, Count: 4})
			for i := range 10 {
				_, err := p.Publish(within(t), append(records(0, 4*i, 4), records(1, 4*i, 4)...))
				require.NoError(t, err)
			}
			require.Equal(t, 4, faults.Hits())
			require.Equal(t, numbers(40), values(t, b, topic, 0))
			require.Equal(t, numbers(40), values(t, b, topic, 1))
		})
	}
}

// TestPublish_ContextEndsInFlight has a broker that stores a batch and keeps
// its answer back.
func TestPublish_ContextEndsInFlight(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	_, err := p.Publish(within(t), records(0, 0, 5))
	require.NoError(t, err)

	arrived, release := make(chan struct{}), make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		close(arrived)
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	go func() {
		_, err := p.Publish(ctx, records(0, 5, 5))
		failed <- err
	}()
	<-arrived
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled, "it does not wait for the broker")
	_, err = p.Publish(within(t), records(0, 10, 5))
	require.Error(t, err, "and is over")

	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	p.Close()
	require.True(t, isClosed(release), "Close waits for what is on its way")
	require.Equal(t, numbers(10), values(t, b, topic, 0))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestPublish_ContextEndsBetweenChunks keeps the answer to the first chunk of a
// call back until the context has ended: the others are not to follow.
func TestPublish_ContextEndsBetweenChunks(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	arrived, release := make(chan struct{}), make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		close(arrived)
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	go func() {
		_, err := p.Publish(ctx, sized(0, 4000, 1000))
		failed <- err
	}()
	<-arrived
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	close(release)
	p.Close()
	stored := values(t, b, topic, 0)
	require.NotEmpty(t, stored)
	require.Less(t, len(stored), 1000, "the first of eight chunks")
	require.True(t, slices.Equal(numbers(4000)[:len(stored)], stored))
}

// TestPublish_EndedWithoutBrokers has no broker at all.
func TestPublish_EndedWithoutBrokers(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.Publish(ctx, records(0, 0, 5))
	require.ErrorIs(t, err, context.DeadlineExceeded, "until then it is tried again")
}

// TestPublish_RecreatedInTheMiddle makes the topic again between the chunks of
// one call.
func TestPublish_RecreatedInTheMiddle(t *testing.T) {
	c := startCluster(t)
	first := make(chan struct{}, 1)
	seen := 0
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if seen++; seen == 2 {
			first <- struct{}{}
			c.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	p := newProducer(t, b, topic)
	failed := make(chan error, 1)
	go func() {
		_, err := p.Publish(within(t), sized(0, 4000, 1000))
		failed <- err
	}()
	<-first
	again := recreate(t, newAdmin(t, c.ListenAddrs()), b)
	close(release)
	require.ErrorIs(t, <-failed, bus.ErrTopicChanged)
	p.Close()
	require.Empty(t, values(t, b, again, 0))
}

// TestPublish_DeletedInTheMiddle deletes the topic between the chunks of one
// call, and nobody makes it again.
func TestPublish_DeletedInTheMiddle(t *testing.T) {
	for name, options := range map[string][]kfake.Opt{"ByID": nil, "ByName": {kfake.MaxVersions(v30())}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, options...)
			second, release := make(chan struct{}), make(chan struct{})
			seen := 0
			b := newBus(t, c.ListenAddrs())
			topic := open(t, b)
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				if seen++; seen == 2 {
					close(second)
					c.SleepControl(func() { <-release })
				}
				return nil, nil, false
			})
			p := newProducer(t, b, topic)
			failed := make(chan error, 1)
			go func() {
				_, err := p.Publish(within(t), sized(0, 4000, 1000))
				failed <- err
			}()
			<-second
			require.NoError(t, c.DeleteTopic(topic.Name))
			close(release)
			require.ErrorIs(t, <-failed, bus.ErrTopicChanged)
		})
	}
}

// TestPublish_BrokerLags has one of three brokers not know yet what the others
// know: that is no change of the topic.
func TestPublish_BrokerLags(t *testing.T) {
	c := startCluster(t, kfake.NumBrokers(3))
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	lag := c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Nodes: []int32{1}, Topic: topic.Name, Err: kerr.UnknownTopicOrPartition, Count: 6,
	})
	n := 0
	for ; lag.Hits() < 6; n++ {
		_, err := p.Publish(within(t), records(0, n, 1))
		require.NoError(t, err)
		_, err = b.Bounds(within(t), topic)
		require.NoError(t, err)
	}
	require.Equal(t, numbers(n), values(t, b, topic, 0))
}

// sized makes n messages of a size for a partition.
func sized(partition int32, n, size int) []bus.Placed {
	made := records(partition, 0, n)
	for i := range made {
		made[i].Headers = []bus.Header{{Key: "filling", Value: string(make([]byte, size))}}
	}
	return made
}

func TestPublish_WrongPartition(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	for _, partition := range []int32{-1, topic.Partitions} {
		p := newProducer(t, b, topic)
		_, err := p.Publish(t.Context(), append(records(0, 0, 1), records(partition, 0, 1)...))
		require.ErrorContains(t, err, "partition")
	}
	require.Empty(t, values(t, b, topic, 0))
}
