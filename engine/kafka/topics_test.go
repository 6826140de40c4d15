package kafka_test

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

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
	t.Parallel()
	b := newBus(t, startCluster(t).ListenAddrs())
	for _, compacted := range []bool{true, false} {
		name := "policy-" + rand.Text()
		_, err := b.Topic(name, bus.TopicSettings{Compacted: compacted}).Open(t.Context())
		require.NoError(t, err)
		_, err = b.Topic(name, bus.TopicSettings{Compacted: !compacted}).Open(t.Context())
		require.ErrorIs(t, err, bus.ErrTopicWrong)
		require.ErrorContains(t, err, "cleanup.policy")
	}
}

// TestTopics_ReadCompacted: what a broker has compacted away is passed over.
func TestTopics_ReadCompacted(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	b := newBus(t, cluster.ListenAddrs())
	f := b.Topic("compacted", bus.TopicSettings{Compacted: true})
	topic, err := f.Open(t.Context())
	require.NoError(t, err)
	const keys, rounds = 3, 40
	p, err := f.Producer(t.Context(), topic)
	require.NoError(t, err)
	defer p.Close()
	for round := range rounds {
		for key := range keys {
			_, err := p.Publish(t.Context(), []bus.Placed{{Message: bus.Message{
				Key: strconv.Itoa(key), Value: fmt.Append(nil, round), Time: time.Now(),
			}}})
			require.NoError(t, err)
		}
	}
	cluster.Compact()
	bounds, err := f.Bounds(t.Context(), topic)
	require.NoError(t, err)
	last, read := make(map[string]string), 0
	for r, err := range f.Read(t.Context(), topic, 0, bounds[0].First, bounds[0].End) {
		require.NoError(t, err)
		read++
		last[r.Key] = string(r.Value)
	}
	want := strconv.Itoa(rounds - 1)
	require.Equal(t, map[string]string{"0": want, "1": want, "2": want}, last)
	require.Less(t, read, keys*rounds, "something was compacted")
}
