package kafka_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/internal/testenv"
)

// outage is an embedded broker that goes and comes back with what it kept.
type outage struct {
	tb     testing.TB
	folder string
	port   int
	*kfake.Cluster
}

func newOutage(tb testing.TB) *outage {
	tb.Helper()
	_, text, _ := strings.Cut(testenv.FreeAddr(tb), ":")
	port, err := strconv.Atoi(text)
	require.NoError(tb, err)
	o := &outage{tb: tb, folder: tb.TempDir(), port: port}
	o.back()
	tb.Cleanup(func() { o.Close() })
	return o
}

func (o *outage) back() {
	o.tb.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(o.port), kfake.DataDir(o.folder),
		kfake.GroupMinSessionTimeout(100*time.Millisecond))
	require.NoError(o.tb, err)
	o.Cluster = c
}

// loseTail takes all but the first batches from a partition of the broker,
// which is away.
func (o *outage) loseTail(topic string, partition string, keep int) {
	o.tb.Helper()
	cut := 0
	require.NoError(o.tb, filepath.WalkDir(o.folder, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(o.tb, err)
		if !strings.HasSuffix(path, ".dat") || filepath.Base(filepath.Dir(path)) != topic+"-"+partition {
			return nil
		}
		data, err := os.ReadFile(path)
		require.NoError(o.tb, err)
		end := 0
		for range keep {
			end += 12 + int(binary.BigEndian.Uint32(data[end+8:]))
		}
		require.Less(o.tb, end, len(data), "there is a tail to lose")
		cut++
		return os.Truncate(path, int64(end))
	}))
	require.Equal(o.tb, 1, cut, "the file of the partition was found")
}

// TestPublish_AnswersLost has connections break between the broker's storing a
// batch and its answer.
func TestPublish_AnswersLost(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) { testAnswersLost(t, startCluster(t).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testAnswersLost(t, realBrokers(t)) })
}

func testAnswersLost(t *testing.T, brokers []string) {
	t.Helper()
	n := newNetwork()
	b := newBus(t, brokers, func(c *kafka.Config) { c.Options = []kgo.Opt{n.dialer()} })
	topic := open(t, b)
	p := newProducer(t, b, topic)
	for i := range 30 {
		if i%10 == 5 {
			n.cutAnswers(kmsg.Produce, 2)
		}
		_, err := p.Publish(within(t), append(records(0, 4*i, 4), records(1, 4*i, 4)...))
		require.NoError(t, err)
	}
	require.Zero(t, n.cutsLeft(kmsg.Produce))
	require.Equal(t, numbers(120), values(t, b, topic, 0), "each once, though sent twice")
	require.Equal(t, numbers(120), values(t, b, topic, 1))
}

// TestOutage has the broker go and come back under a producer and a consumer.
func TestOutage(t *testing.T) {
	o := newOutage(t)
	book := &logBook{}
	b := newBus(t, o.ListenAddrs(), partitions(1), func(c *kafka.Config) { c.Logger = book.logger() })
	topic := open(t, b)
	p := newProducer(t, b, topic)
	consumer := newTally()
	run(t, b, "g", consumer)
	_, err := p.Publish(within(t), records(0, 0, 10))
	require.NoError(t, err)
	consumer.waitFor(t, 0, numbers(10))

	o.Close()
	published := make(chan error, 1)
	go func() {
		_, err := p.Publish(within(t), records(0, 10, 10))
		published <- err
	}()
	eventually(t, func() bool { return book.count("broker lost") > 0 }, "the loss is to be told")
	o.back()
	require.NoError(t, <-published, "it is tried until the broker is back")
	consumer.waitFor(t, 0, numbers(20))
	require.Equal(t, numbers(20), values(t, b, topic, 0))
	eventually(t, func() bool { return book.count("broker is back") > 0 }, "the return is to be told")
	require.Equal(t, 1, book.count("broker lost"), "one line")
	require.Equal(t, 1, book.count("broker is back"), "one line")
}

// TestTailLost_Producer has a broker come back without the last records that
// it acknowledged, and go on as if nothing had been there.
func TestTailLost_Producer(t *testing.T) {
	o := newOutage(t)
	b := newBus(t, o.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	for i := range 10 {
		_, err := p.Publish(within(t), append(records(0, 4*i, 4), records(1, 4*i, 4)...))
		require.NoError(t, err)
	}
	o.Close()
	o.loseTail(topic.Name, "0", 7)
	o.back()
	require.Equal(t, topic, open(t, b), "it is still the same topic")

	_, err := p.Publish(within(t), append(records(0, 40, 4), records(1, 40, 4)...))
	require.ErrorContains(t, err, "partition 0 has lost acknowledged records")
	_, err = p.Publish(within(t), records(1, 44, 4))
	require.Error(t, err)
	p.Close()

	// A relay finds where the unbroken run ends and publishes from there on.
	require.Equal(t, numbers(28), values(t, b, topic, 0)[:28])
	again := newProducer(t, b, topic)
	_, err = again.Publish(within(t), records(0, 28, 16))
	require.NoError(t, err)
	require.Equal(t, numbers(44)[28:], values(t, b, topic, 0)[32:])
}

// TestTailLost_Read has a range reach into what was lost.
func TestTailLost_Read(t *testing.T) {
	o := newOutage(t)
	b := newBus(t, o.ListenAddrs())
	topic := open(t, b)
	p := newProducer(t, b, topic)
	for i := range 10 {
		_, err := p.Publish(within(t), records(0, 4*i, 4))
		require.NoError(t, err)
	}
	o.Close()
	o.loseTail(topic.Name, "0", 7)
	o.back()
	for _, from := range []int64{0, 28, 30} {
		var last error
		for _, err := range b.Read(within(t), topic, 0, from, 40) {
			last = err
		}
		require.ErrorContains(t, last, "gone", "from %d", from)
	}
}

// TestTailLost_Consumer has the offset that is to be read next lie behind the
// end.
func TestTailLost_Consumer(t *testing.T) {
	o := newOutage(t)
	b := newBus(t, o.ListenAddrs(), partitions(1))
	topic := open(t, b)
	p := newProducer(t, b, topic)
	consumer := newTally()
	run(t, b, "g", consumer)
	for i := range 10 {
		_, err := p.Publish(within(t), records(0, 4*i, 4))
		require.NoError(t, err)
	}
	consumer.waitFor(t, 0, numbers(40))
	p.Close()
	before := len(consumer.assigned(0))

	o.Close()
	o.loseTail(topic.Name, "0", 7)
	o.back()
	eventually(t, func() bool {
		return slices.ContainsFunc(consumer.assigned(0)[before:], func(a bus.Assignment) bool { return a.Bounds.End == 28 })
	}, "the consumer is to be asked again, within the new bounds")
	again := newProducer(t, b, topic)
	_, err := again.Publish(within(t), records(0, 28, 20))
	require.NoError(t, err)
	consumer.waitFor(t, 0, append(numbers(40), numbers(48)[28:]...))
}
