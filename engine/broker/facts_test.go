package broker_test

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
)

// The tests of this file pin facts about kfake that the package comment tells and other rooms count on.

func TestFact_TopicConfigs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	want := map[string]string{
		"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
		"message.timestamp.after.max.ms": "9223372036854775807", "unclean.leader.election.enable": "false", "min.insync.replicas": "1",
	}
	createTopic(t, cl, "events", 1, want)
	requireConfigs := func() {
		described, err := kadm.NewClient(dial(t, s.Addr())).DescribeTopicConfigs(ctxOf(t), "events")
		require.NoError(t, err)
		require.Len(t, described, 1)
		have := make(map[string]string)
		for _, config := range described[0].Configs {
			if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
				have[config.Key] = config.MaybeValue()
			}
		}
		require.Equal(t, want, have)
	}
	requireConfigs()

	_, err := kadm.NewClient(cl).CreateTopic(ctxOf(t), 1, 1, nil, "events")
	require.ErrorIs(t, err, kerr.TopicAlreadyExists)
	_, err = kadm.NewClient(cl).CreateTopic(ctxOf(t), 1, 2, nil, "replicated")
	require.ErrorIs(t, err, kerr.InvalidReplicationFactor)
	require.Empty(t, topicID(t, cl, "never-made"), "a look at a topic created it")

	s.stop()
	s = start(t, dir, "")
	requireConfigs()
}

func TestFact_DeleteRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 2, nil)
	fill(t, cl, "events", 0, 0, 20)
	fill(t, cl, "events", 1, 0, 20)
	id := topicID(t, cl, "events")
	var upTo kadm.Offsets
	upTo.AddOffset("events", 0, 7, -1)
	upTo.AddOffset("events", 1, 20, -1)
	_, err := kadm.NewClient(cl).DeleteRecords(ctxOf(t), upTo)
	require.NoError(t, err)
	require.Equal(t, bounds{7, 20}, offsets(t, cl, "events", 0))
	require.Equal(t, bounds{20, 20}, offsets(t, cl, "events", 1))
	require.Len(t, readFrom(t, s.Addr(), "events", 0, 7, 20), 13)
	requireOutOfRange(t, s.Addr(), "events", 0, 6)
	requireOutOfRange(t, s.Addr(), "events", 0, 21)

	t.Run("clean stop", func(t *testing.T) {
		s.stop()
		s := start(t, copyTree(t, dir), "")
		cl := dial(t, s.Addr())
		require.Equal(t, id, topicID(t, cl, "events"))
		require.Equal(t, bounds{7, 20}, offsets(t, cl, "events", 0))
		require.Equal(t, bounds{0, 0}, offsets(t, cl, "events", 1), "the emptied partition begins again")
	})
	t.Run("crash", func(t *testing.T) {
		s := start(t, dir, "")
		fill(t, dial(t, s.Addr()), "events", 0, 20, 21)
		s = start(t, copyTree(t, dir), "")
		require.EqualValues(t, 21, requireSequence(t, s.Addr(), "events", 0), "the deleted records are there again")
	})
}

func requireOutOfRange(t *testing.T, addr, topic string, partition int32, at int64) {
	t.Helper()
	cl := dial(t, addr, kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		topic: {partition: kgo.NewOffset().At(at)},
	}))
	require.ErrorIs(t, cl.PollFetches(ctxOf(t)).Err(), kerr.OffsetOutOfRange)
}

func TestFact_Retention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "for-ever", 1, map[string]string{"retention.ms": "-1"})
	createTopic(t, cl, "default", 1, nil)
	createTopic(t, cl, "an-hour", 1, map[string]string{"retention.ms": "3600000"})
	now := time.Now()
	for _, topic := range []string{"for-ever", "default", "an-hour"} {
		for _, at := range []time.Time{now, now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)} {
			record := &kgo.Record{Topic: topic, Timestamp: at, Value: []byte("v")}
			require.NoError(t, cl.ProduceSync(ctxOf(t), record).FirstErr())
		}
	}
	for range 2 {
		s.Cluster().ApplyRetention()
		for _, topic := range []string{"for-ever", "default"} {
			records := read(t, s.Addr(), topic, 0)
			require.Len(t, records, 3)
			require.Equal(t, now.AddDate(-1, 0, 0).UnixMilli(), records[1].Timestamp.UnixMilli())
		}
		// The newer record before the old one goes with it.
		require.Equal(t, bounds{2, 3}, offsets(t, dial(t, s.Addr()), "an-hour", 0))
		s.stop()
		s = start(t, dir, "")
	}
}

// A static member takes its partitions over at once from its predecessor, which did not say good-bye: here with a session
// time-out far longer than the test.
func TestFact_StaticMember(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir, "")
	cl := dial(t, c.addr)
	createTopic(t, cl, "events", 2, nil)
	fill(t, cl, "events", 0, 0, 5)
	take := func() {
		member := dial(t, c.addr, kgo.ConsumerGroup("readers"), kgo.InstanceID("one"), kgo.ConsumeTopics("events"),
			kgo.SessionTimeout(5*time.Minute), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		fetches := member.PollFetches(ctxOf(t))
		require.NoError(t, fetches.Err())
		require.NotEmpty(t, fetches.Records())
		member.Close() // a static member does not leave
	}
	take()
	take()
	c.kill()
	c = startChild(t, dir, c.addr)
	take()
	c.kill()
	s := start(t, dir, c.addr)
	take()
	s.stop()
	start(t, dir, c.addr)
	take()
}

func TestFact_FaultInjection(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "")
	cl := dial(t, s.Addr(), kgo.UnknownTopicRetries(0))
	createTopic(t, cl, "events", 1, nil)
	fault := s.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "events", Err: kerr.MessageTooLarge})
	record := func() error {
		return cl.ProduceSync(ctxOf(t), &kgo.Record{Topic: "events", Value: []byte("v")}).FirstErr()
	}
	require.ErrorIs(t, record(), kerr.MessageTooLarge)
	require.NoError(t, record())
	require.Equal(t, 1, fault.Hits())

	s.Cluster().ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("the connection is cut"), true
	})
	require.NoError(t, record(), "kgo tries again")
}

// producer is as strict as kgo can be.
func producer(t *testing.T, addr string) *kgo.Client {
	return dial(t, addr, kgo.StopProducerOnDataLossDetected())
}

func TestFact_Producer(t *testing.T) {
	t.Parallel()
	t.Run("clean stop", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, "")
		cl := producer(t, s.Addr())
		createTopic(t, cl, "events", 1, nil)
		fill(t, cl, "events", 0, 0, 20)
		s.stop()
		start(t, dir, s.Addr())
		fill(t, cl, "events", 0, 20, 40)
		require.EqualValues(t, 40, requireSequence(t, s.Addr(), "events", 0))
	})
	t.Run("crash", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		c := startChild(t, dir, "")
		cl := producer(t, c.addr)
		createTopic(t, cl, "events", 1, nil)
		fill(t, cl, "events", 0, 0, 20)
		c.kill()
		startChild(t, dir, c.addr)
		fill(t, cl, "events", 0, 20, 40)
		require.EqualValues(t, 40, requireSequence(t, c.addr, "events", 0))
	})
	t.Run("clean stop then crash", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, "")
		cl := producer(t, s.Addr())
		createTopic(t, cl, "events", 1, nil)
		fill(t, cl, "events", 0, 0, 20)
		s.stop()
		c := startChild(t, dir, s.Addr())
		fill(t, cl, "events", 0, 20, 40)
		c.kill()
		c = startChild(t, dir, s.Addr())
		err := cl.ProduceSync(ctxOf(t), &kgo.Record{Topic: "events", Value: []byte("v")}).FirstErr()
		require.ErrorIs(t, err, kerr.OutOfOrderSequenceNumber)
		fill(t, producer(t, s.Addr()), "events", 0, 40, 41)
		require.EqualValues(t, 41, requireSequence(t, c.addr, "events", 0))
	})
}

func TestFact_ProducerLostEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir, "")
	cl := producer(t, c.addr)
	createTopic(t, cl, "events", 1, nil)
	fill(t, cl, "events", 0, 0, 20)
	c.kill()
	halve(t, dir, "events", 0)
	startChild(t, dir, c.addr)
	have := offsets(t, cl, "events", 0).end
	require.Less(t, have, int64(20))
	record := &kgo.Record{Topic: "events", Value: []byte("v")}
	require.NoError(t, cl.ProduceSync(context.Background(), record).FirstErr(), "a running producer is not told")
	require.Equal(t, have, record.Offset, "but it can see it by the offset")
}
