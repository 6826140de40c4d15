package e2e_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/relay"
	"passbook/internal/testenv"
)

// road is a store, a relay and an embedded broker with its files.
type road struct {
	t     *testing.T
	dir   string
	addr  string
	store *eventstore.Store
	relay *relay.Relay

	broker     *broker.Broker
	stopBroker func()
	stopRelay  func()
	events     int64
}

// background runs something until the test, or the returned function, ends it.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	var done atomic.Bool
	stop = func() {
		if done.CompareAndSwap(false, true) {
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return stop
}

func newRoad(t *testing.T) *road {
	t.Helper()
	r := &road{t: t, dir: t.TempDir(), addr: testenv.FreeAddr(t)}
	r.startBroker()
	store, err := eventstore.New(t.Context(), memory.NewEventStore(), eventstore.Config{})
	require.NoError(t, err)
	r.store = store
	background(t, store.Run)
	quiet := slog.New(slog.DiscardHandler)
	bus, err := kafka.New(kafka.Config{Brokers: []string{r.addr}, Topic: testenv.Topic, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(bus.Close)
	r.relay = relay.New(store, bus, memory.NewCheckpoints(), relay.Config{
		PageEvents: 50, CheckInterval: 50 * time.Millisecond, RetryMax: 100 * time.Millisecond, Logger: quiet,
	})
	r.startRelay()
	return r
}

func (r *road) startRelay() { r.stopRelay = background(r.t, r.relay.Run) }

func (r *road) startBroker() {
	r.t.Helper()
	b, err := broker.New(broker.Config{Addr: r.addr, Dir: r.dir})
	require.NoError(r.t, err)
	r.broker, r.addr = b, b.Addr()
	r.stopBroker = background(r.t, b.Run)
}

// load appends events, one by one on ten streams, as commands do.
func (r *road) load(events int) {
	r.t.Helper()
	for range events {
		stream := "s" + strconv.FormatInt(r.events%10, 10)
		_, err := r.store.Append(r.t.Context(), eventstore.Commit{
			Stream: stream, Expected: r.events/10 - 1,
			Events: []event.Envelope{{
				ID: event.NewID(), Type: event.Type{Name: "test.happened", Schema: 1},
				Time: event.Truncate(time.Now()), Data: []byte(`{"happened":true}`),
			}},
		})
		require.NoError(r.t, err)
		r.events++
	}
}

// requireFeed waits until the relay has confirmed everything, and looks.
func (r *road) requireFeed() (repeats int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		status := r.relay.Status()
		return status.State == relay.StateRunning && status.Position == r.events
	}, time.Minute, 5*time.Millisecond, "%+v", r.relay.Status())
	return testenv.RequireFeed(r.t, r.addr, r.events)
}

// A record is refused in the middle of a steady load: nothing is left out, and
// nothing comes before what it follows.
func TestRelay_RecordRefused(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.load(200)
	var produced, refused atomic.Int64
	r.broker.Cluster().ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		r.broker.Cluster().KeepControl()
		if produced.Add(1)%20 != 0 || refused.Load() == 5 {
			return nil, nil, false
		}
		refused.Add(1)
		return refuse(request.(*kmsg.ProduceRequest)), nil, true
	})
	r.load(2000)
	r.requireFeed()
	require.Positive(t, refused.Load(), "no record was refused")
	require.Greater(t, r.relay.Status().Resumes, int64(1))
}

// refuse answers a produce request so that its records are invalid.
func refuse(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		answer := kmsg.NewProduceResponseTopic()
		answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, kerr.InvalidRecord.Code
			answer.Partitions = append(answer.Partitions, p)
		}
		response.Topics = append(response.Topics, answer)
	}
	return response
}

// The broker loses the acknowledged end of its partitions and keeps the topic's
// id, as one in the process can when the machine dies: what is missing is found
// at the next start, and published again before anything else.
func TestRelay_BrokerLostItsTail(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.load(500)
	r.requireFeed()
	before := r.relay.Status().Topic.ID
	r.stopRelay()
	r.stopBroker()
	require.Positive(t, cutTails(t, r.dir), "no segment was cut")
	r.startBroker()
	r.load(300)
	r.startRelay()
	r.requireFeed()
	require.Equal(t, before, r.relay.Status().Topic.ID)
}

// cutTails takes the last third off every partition's last segment.
func cutTails(t *testing.T, dir string) (cut int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(path, testenv.Topic) || !strings.HasSuffix(path, ".dat") {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Size() == 0 {
			return err
		}
		cut++
		return os.Truncate(path, info.Size()*2/3)
	}))
	return cut
}

// The topic is deleted and made again: everything is published again, from
// position one.
func TestRelay_TopicMadeAgain(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.load(500)
	r.requireFeed()
	before := r.relay.Status().Topic.ID
	client, err := kgo.NewClient(kgo.SeedBrokers(r.addr))
	require.NoError(t, err)
	defer client.Close()
	_, err = kadm.NewClient(client).DeleteTopic(t.Context(), testenv.Topic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		status := r.relay.Status()
		return status.Topic.ID != before && status.State == relay.StateRunning
	}, time.Minute, 5*time.Millisecond)
	r.load(300)
	require.Zero(t, r.requireFeed())
}
