package broker_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/broker"
)

// Longest that a test waits for something that comes soon or never.
const patience = 30 * time.Second

// tb is what helpers need of a *testing.T or of a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// server is a broker of this process that a test can stop and start again.
type server struct {
	*broker.Broker
	stop func() // ends Run and waits for it
}

// start runs a broker on dir, on a free port unless addr names one.
func start(t tb, dir, addr string) *server {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	b, err := broker.New(broker.Config{Addr: addr, Dir: dir})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stopped := false
	s := &server{Broker: b, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-ended)
	}}
	t.Cleanup(s.stop)
	return s
}

func ctxOf(t tb) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial connects a client that writes to the partition a record names.
func dial(t tb, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addr),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.MetadataMinAge(10 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
		kgo.FetchMaxWait(100 * time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func createTopic(t tb, cl *kgo.Client, topic string, partitions int32, configs map[string]string) {
	t.Helper()
	pointers := make(map[string]*string)
	for name, value := range configs {
		pointers[name] = &value
	}
	_, err := kadm.NewClient(cl).CreateTopic(ctxOf(t), partitions, 1, pointers, topic)
	require.NoError(t, err)
}

// value is what the record at an offset holds, so that a reader can tell which one it got.
func value(partition int32, n int64) string {
	return fmt.Sprintf("%d/%d/%s", partition, n, strings.Repeat("x", int(n%97)))
}

// fill writes the records of offsets from up to but not including to, a few in a batch.
func fill(t tb, cl *kgo.Client, topic string, partition int32, from, to int64) {
	t.Helper()
	for n := from; n < to; {
		var batch []*kgo.Record
		for end := min(to, n+1+n%5); n < end; n++ {
			batch = append(batch, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value(partition, n))})
		}
		require.NoError(t, cl.ProduceSync(ctxOf(t), batch...).FirstErr())
	}
}

type bounds struct{ start, end int64 }

// offsets asks for the first and the next offset of a partition.
func offsets(t tb, cl *kgo.Client, topic string, partition int32) bounds {
	t.Helper()
	adm := kadm.NewClient(cl)
	starts, err := adm.ListStartOffsets(ctxOf(t), topic)
	require.NoError(t, err)
	ends, err := adm.ListEndOffsets(ctxOf(t), topic)
	require.NoError(t, err)
	first, ok := starts.Lookup(topic, partition)
	require.True(t, ok)
	require.NoError(t, first.Err)
	next, ok := ends.Lookup(topic, partition)
	require.True(t, ok)
	require.NoError(t, next.Err)
	return bounds{first.Offset, next.Offset}
}

// read returns all records of a partition, from its first offset to its end.
func read(t tb, addr, topic string, partition int32) []*kgo.Record {
	t.Helper()
	cl := dial(t, addr)
	have := offsets(t, cl, topic, partition)
	cl.Close()
	return readFrom(t, addr, topic, partition, have.start, have.end)
}

func readFrom(t tb, addr, topic string, partition int32, from, end int64) []*kgo.Record {
	t.Helper()
	cl := dial(t, addr, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		topic: {partition: kgo.NewOffset().At(from)},
	}))
	defer cl.Close()
	ctx := ctxOf(t)
	var got []*kgo.Record
	for next := from; next < end; {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		got = append(got, fetches.Records()...)
		if len(got) == 0 {
			require.NoError(t, ctx.Err())
			continue
		}
		next = got[len(got)-1].Offset + 1
	}
	return got
}

// requireSequence checks that a partition holds the records of offsets 0 to n-1 for some n, unchanged, and returns n.
func requireSequence(t tb, addr, topic string, partition int32) int64 {
	t.Helper()
	records := read(t, addr, topic, partition)
	for n, record := range records {
		require.Equal(t, int64(n), record.Offset, "partition %d has a gap", partition)
		require.Equal(t, value(partition, int64(n)), string(record.Value), "partition %d, offset %d", partition, n)
	}
	return int64(len(records))
}

// topicID is empty for a topic that does not exist.
func topicID(t tb, cl *kgo.Client, topic string) string {
	t.Helper()
	details, err := kadm.NewClient(cl).ListTopics(ctxOf(t), topic)
	require.NoError(t, err)
	if !details.Has(topic) {
		return ""
	}
	return details[topic].ID.String()
}

// copyTree copies a folder as it is now, also one that a broker is writing to: what a crash would leave.
func copyTree(t tb, from string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "broker")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(to)) })
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
