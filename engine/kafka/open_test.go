package kafka_test

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

func configs(tb testing.TB, admin *kadm.Client, topic string) map[string]string {
	tb.Helper()
	resources, err := admin.DescribeTopicConfigs(tb.Context(), topic)
	require.NoError(tb, err)
	require.Len(tb, resources, 1)
	listed := make(map[string]string)
	for _, c := range resources[0].Configs {
		listed[c.Key] = c.MaybeValue()
	}
	return listed
}

func TestOpen_CreatesWhatKeepsEverything(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) { testCreates(t, startCluster(t).ListenAddrs()) })
	t.Run("EmbeddedThree", func(t *testing.T) { testCreates(t, startCluster(t, kfake.NumBrokers(3)).ListenAddrs()) })
	t.Run("EmbeddedFour", func(t *testing.T) { testCreates(t, startCluster(t, kfake.NumBrokers(4)).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testCreates(t, realBrokers(t)) })
}

func testCreates(t *testing.T, brokers []string) {
	t.Helper()
	admin := newAdmin(t, brokers)
	topic := open(t, newBus(t, brokers, func(c *kafka.Config) { c.Partitions = 0 }))
	require.Equal(t, int32(6), topic.Partitions)

	listed := configs(t, admin, topic.Name)
	unlimited := strconv.FormatInt(math.MaxInt64, 10)
	require.Equal(t, "delete", listed["cleanup.policy"])
	require.Equal(t, "-1", listed["retention.ms"])
	require.Equal(t, "-1", listed["retention.bytes"])
	require.Equal(t, "false", listed["unclean.leader.election.enable"])
	require.Equal(t, unlimited, listed["message.timestamp.after.max.ms"])
	require.Equal(t, unlimited, listed["message.timestamp.before.max.ms"])

	known, err := admin.ListBrokers(t.Context())
	require.NoError(t, err)
	details, err := admin.ListTopics(t.Context(), topic.Name)
	require.NoError(t, err)
	require.Equal(t, min(3, len(known)), details[topic.Name].Partitions.NumReplicas())
	if len(known) >= 3 {
		require.Equal(t, "2", listed["min.insync.replicas"])
	}
}

// TestOpen_OldBrokers has a broker that does not know the newer settings.
func TestOpen_OldBrokers(t *testing.T) {
	c := startCluster(t)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidConfig, Count: 1})
	topic := open(t, newBus(t, c.ListenAddrs()))
	listed := configs(t, newAdmin(t, c.ListenAddrs()), topic.Name)
	require.Equal(t, "-1", listed["retention.ms"])
	require.NotContains(t, listed, "message.timestamp.after.max.ms")
}

func TestOpen_KeepsTheCountOfOneThatExists(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs(), partitions(2))
	topic := open(t, b)
	again := newBus(t, c.ListenAddrs(), func(c *kafka.Config) { c.Topic, c.Partitions = topic.Name, 12 })
	require.Equal(t, topic, open(t, again))
}

// wrongSettings are topics that others have made. On brokers of Kafka 4 a topic
// has a limit on timestamps unless it is told otherwise.
func wrongSettings() []wrongTopic {
	const unlimited = "9223372036854775807"
	fine := func(more ...string) map[string]string {
		all := map[string]string{"retention.ms": "-1", "message.timestamp.after.max.ms": unlimited}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	return []wrongTopic{
		{"Fine", 1, fine(), nil},
		{"DefaultRetention", 1, fine("retention.ms", "604800000"), []string{`retention.ms is "604800000", want "-1"`}},
		{"LimitedBytes", 1, fine("retention.bytes", "1000"), []string{`retention.bytes is "1000", want "-1"`}},
		{"Compacted", 1, fine("cleanup.policy", "compact,delete"), []string{`cleanup.policy is "compact,delete", want "delete"`}},
		{"UncleanElection", 1, fine("unclean.leader.election.enable", "true"), []string{`unclean.leader.election.enable is "true", want "false"`}},
		{"TimestampsAfter", 1, fine("message.timestamp.after.max.ms", "3600000"), []string{`message.timestamp.after.max.ms is "3600000", want "` + unlimited + `"`}},
		{"TimestampsBefore", 1, fine("message.timestamp.before.max.ms", "1"), []string{`message.timestamp.before.max.ms is "1", want "` + unlimited + `"`}},
		{"TooFewInSync", 3, fine("min.insync.replicas", "1"), []string{`min.insync.replicas is "1", want "2"`}},
		{"MoreInSync", 3, fine("min.insync.replicas", "3"), nil},
		{"SeveralAreAllNamed", 1, fine("cleanup.policy", "compact", "retention.ms", "1"), []string{"cleanup.policy", "retention.ms"}},
		{"NotListedIsNotWanted", 1, fine("flush.ms", "1"), nil},
	}
}

type wrongTopic struct {
	name     string
	brokers  int // and replicas
	settings map[string]string
	wrong    []string // what the error says
}

func TestOpen_WrongSettings(t *testing.T) {
	only := []wrongTopic{ // of brokers that know this, or have this for a default
		{"UntoldRetention", 1, nil, []string{`retention.ms is "604800000", want "-1"`}},
		{"TimestampsOld", 1, map[string]string{"retention.ms": "-1", "message.timestamp.difference.max.ms": "1"}, []string{`message.timestamp.difference.max.ms is "1"`}},
		{"UntoldInSync", 3, map[string]string{"retention.ms": "-1"}, []string{`min.insync.replicas is "1", want "2"`}},
		{"FewInSyncOfTwo", 2, map[string]string{"retention.ms": "-1"}, nil},
	}
	t.Run("Embedded", func(t *testing.T) {
		for _, test := range append(wrongSettings(), only...) {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				testWrongSettings(t, startCluster(t, kfake.NumBrokers(test.brokers)).ListenAddrs(), test)
			})
		}
	})
	t.Run("Real", func(t *testing.T) {
		brokers := realBrokers(t)
		known, err := newAdmin(t, brokers).ListBrokers(t.Context())
		require.NoError(t, err)
		for _, test := range append(wrongSettings(), wrongTopic{"Untold", 1, nil, []string{
			`retention.ms is "604800000"`, `message.timestamp.after.max.ms is "3600000"`,
		}}) {
			if test.brokers <= len(known) {
				t.Run(test.name, func(t *testing.T) { testWrongSettings(t, brokers, test) })
			}
		}
	})
}

func testWrongSettings(t *testing.T, brokers []string, test wrongTopic) {
	t.Helper()
	name := "wrong-" + rand.Text()
	settings := make(map[string]*string)
	for key, value := range test.settings {
		settings[key] = &value
	}
	admin := newAdmin(t, brokers)
	_, err := admin.CreateTopic(t.Context(), 2, int16(test.brokers), settings, name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.DeleteTopic(context.WithoutCancel(t.Context()), name)
		require.NoError(t, err)
	})
	b := newBus(t, brokers, func(c *kafka.Config) { c.Topic = name })
	_, err = b.Open(t.Context())
	if test.wrong == nil {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, bus.ErrTopicWrong)
	require.NotContains(t, err.Error(), "\n")
	require.Contains(t, err.Error(), "topic "+name+":")
	require.Contains(t, err.Error(), "alter them, or name another topic", "it says what to do")
	for _, w := range test.wrong {
		require.Contains(t, err.Error(), w)
	}
	require.Equal(t, max(1, len(test.wrong)), strings.Count(err.Error(), ", want "), "and nothing else is wrong")
}

func TestOpen_WrongSettingsOnRealBrokers(t *testing.T) {
	brokers := realBrokers(t)
	admin := newAdmin(t, brokers)
	b := newBus(t, brokers)
	topic := open(t, b)
	week := "604800000"
	_, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "retention.ms", Value: &week},
		{Op: kadm.DeleteConfig, Name: "message.timestamp.after.max.ms"},
	}, topic.Name)
	require.NoError(t, err)
	eventually(t, func() bool {
		_, err = b.Open(t.Context())
		return errors.Is(err, bus.ErrTopicWrong)
	}, "it is noticed when the broker that is asked has heard of it")
	require.ErrorContains(t, err, `retention.ms is "604800000", want "-1"`)
	require.ErrorContains(t, err, `message.timestamp.after.max.ms is "3600000"`)
}
