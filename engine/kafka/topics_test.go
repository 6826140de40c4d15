package kafka_test

import (
	"context"
	"crypto/rand"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
	"passbook/es/bus/bustest"
)

func TestTopics_Embedded(t *testing.T) {
	bustest.RunTopics(t, func(tb testing.TB) bus.Topics { return newBus(tb, startCluster(tb).ListenAddrs()) })
}

func TestTopics_Embedded30(t *testing.T) {
	bustest.RunTopics(t, func(tb testing.TB) bus.Topics {
		return newBus(tb, startCluster(tb, kfake.MaxVersions(v30())).ListenAddrs())
	})
}

func TestTopics_EmbeddedThree(t *testing.T) {
	bustest.RunTopics(t, func(tb testing.TB) bus.Topics {
		return newBus(tb, startCluster(tb, kfake.NumBrokers(3)).ListenAddrs())
	})
}

func TestTopics_Real(t *testing.T) {
	brokers := realBrokers(t)
	bustest.RunTopics(t, func(tb testing.TB) bus.Topics { return newBus(tb, brokers) })
}

// TestTopics_Policy: a topic that keeps everything is not taken for one that
// forgets, and the other way round.
func TestTopics_Policy(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) { testPolicy(t, startCluster(t).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testPolicy(t, realBrokers(t)) })
}

func testPolicy(t *testing.T, brokers []string) {
	t.Helper()
	b := newBus(t, brokers)
	for _, compacted := range []bool{true, false} {
		name := "policy-" + rand.Text()
		_, err := b.Topic(name, bus.TopicSettings{Compacted: compacted}).Open(t.Context())
		require.NoError(t, err)
		_, err = b.Topic(name, bus.TopicSettings{Compacted: !compacted}).Open(t.Context())
		require.ErrorIs(t, err, bus.ErrTopicWrong)
		require.ErrorContains(t, err, "cleanup.policy")
	}
}

// TestTopics_FindBrokerLags has one of three brokers not know yet what the
// others know: whoever is asked, the topic is found.
func TestTopics_FindBrokerLags(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.NumBrokers(3))
	b := newBus(t, c.ListenAddrs())
	topic := open(t, b)
	lag := c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Nodes: []int32{1}, Topic: topic.Name, Err: kerr.UnknownTopicOrPartition, Count: 6,
	})
	for lag.Hits() < 6 {
		found, err := b.Find(within(t), topic.Name)
		require.NoError(t, err)
		require.Equal(t, topic, found)
	}
}

// TestTopics_ReadCompacted: what a broker has compacted away is passed over.
func TestTopics_ReadCompacted(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) {
		t.Parallel()
		cluster := startCluster(t)
		testReadCompacted(t, cluster.ListenAddrs(), func(string) { cluster.Compact() })
	})
	t.Run("Real", func(t *testing.T) {
		t.Parallel()
		brokers := realBrokers(t)
		admin := newAdmin(t, brokers)
		testReadCompacted(t, brokers, func(topic string) {
			// Each record closes the segment of the one before, and whatever is closed is worth cleaning.
			soon, little := "1", "0.01"
			_, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{
				{Op: kadm.SetConfig, Name: "segment.ms", Value: &soon},
				{Op: kadm.SetConfig, Name: "min.cleanable.dirty.ratio", Value: &little},
			}, topic)
			require.NoError(t, err)
		})
	})
}

// testReadCompacted publishes until something is missing that a newer record of
// its key stands for.
func testReadCompacted(t *testing.T, brokers []string, compact func(topic string)) {
	t.Helper()
	b := newBus(t, brokers)
	f := b.Topic("compacted-"+rand.Text(), bus.TopicSettings{Compacted: true})
	topic, err := f.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Delete(context.WithoutCancel(t.Context()), topic)) })
	p, err := f.Producer(t.Context(), topic)
	require.NoError(t, err)
	defer p.Close()
	const keys = 3
	round, want := 0, ""
	publish := func() {
		round++
		want = strconv.Itoa(round)
		for key := range keys {
			_, err := p.Publish(t.Context(), []bus.Placed{{Message: bus.Message{
				Key: strconv.Itoa(key), Value: []byte(want), Time: time.Now(),
			}}})
			require.NoError(t, err)
		}
	}
	for range 40 {
		publish()
	}
	compact(topic.Name)
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		last, read := readLast(t, f, topic)
		require.Equal(t, map[string]string{"0": want, "1": want, "2": want}, last)
		if read < keys*round {
			return
		}
		require.Less(t, round, 200, "nothing is compacted")
		<-time.After(pause) // brokers look for what to compact every 15 s
		publish()
	}
}

// readLast returns the last value of each key, and how many records were read.
func readLast(t *testing.T, f bus.Feed, topic bus.Topic) (last map[string]string, read int) {
	t.Helper()
	bounds, err := f.Bounds(t.Context(), topic)
	require.NoError(t, err)
	last = make(map[string]string)
	for r, err := range f.Read(t.Context(), topic, 0, bounds[0].First, bounds[0].End) {
		require.NoError(t, err)
		read++
		last[r.Key] = string(r.Value)
	}
	return last, read
}
