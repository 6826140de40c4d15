package kafka_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/internal/testenv"
)

// TestMain has more tests run at once than there are cores: what they do most is
// to wait for time-outs of groups. Who names -parallel gets that.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// realBrokers are those of a real Kafka; without any the test is skipped.
func realBrokers(tb testing.TB) []string {
	tb.Helper()
	return testenv.Kafka(tb)
}

// startCluster starts an embedded cluster, of one broker by default.
func startCluster(tb testing.TB, options ...kfake.Opt) *kfake.Cluster {
	tb.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}, options...)...)
	require.NoError(tb, err)
	tb.Cleanup(c.Close)
	return c
}

// newBus returns the bus of a topic that nobody else uses.
func newBus(tb testing.TB, brokers []string, change ...func(*kafka.Config)) *kafka.Bus {
	tb.Helper()
	config := kafka.Config{Brokers: brokers, Topic: "test-" + rand.Text(), Partitions: 3, Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&config)
	}
	b, err := kafka.New(config)
	require.NoError(tb, err)
	tb.Cleanup(b.Close)
	return b
}

func open(tb testing.TB, b *kafka.Bus) bus.Topic {
	tb.Helper()
	topic, err := b.Open(tb.Context())
	require.NoError(tb, err)
	return topic
}

func newProducer(tb testing.TB, b *kafka.Bus, topic bus.Topic) bus.Producer {
	tb.Helper()
	p, err := b.Producer(tb.Context(), topic)
	require.NoError(tb, err)
	tb.Cleanup(p.Close)
	return p
}

func newAdmin(tb testing.TB, brokers []string) *kadm.Client {
	tb.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// records makes n messages for a partition, each with its number as value.
func records(partition int32, from, n int) []bus.Placed {
	made := make([]bus.Placed, n)
	for i := range made {
		made[i] = bus.Placed{Partition: partition, Message: bus.Message{
			Key: "key", Value: []byte(strconv.Itoa(from + i)), Time: time.Unix(1_700_000_000, 0),
		}}
	}
	return made
}

// values returns those of all records of a partition.
func values(tb testing.TB, b *kafka.Bus, topic bus.Topic, partition int32) []string {
	tb.Helper()
	bounds, err := b.Bounds(tb.Context(), topic)
	require.NoError(tb, err)
	var found []string
	for r, err := range b.Read(tb.Context(), topic, partition, bounds[partition].First, bounds[partition].End) {
		require.NoError(tb, err)
		found = append(found, string(r.Value))
	}
	return found
}

// numbers are the values of records(p, 0, n).
func numbers(n int) []string {
	var all []string
	for i := range n {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// logBook is a logger whose lines can be read.
type logBook struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logBook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// count is how many lines hold the text.
func (l *logBook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.lines.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func eventually(tb testing.TB, condition func() bool, what string) {
	tb.Helper()
	require.Eventually(tb, condition, 60*time.Second, 2*time.Millisecond, what)
}

// within is a context for what must not take for ever.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 60*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func partitions(n int32) func(*kafka.Config) {
	return func(c *kafka.Config) { c.Partitions = n }
}
