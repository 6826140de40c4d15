package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/kafka"
	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/eventstore"
	"passbook/es/relay"
	"passbook/internal/testenv"
)

// leaderKills is how often a leader is killed; each time it is another broker's
// turn, or the same again when it leads again.
const leaderKills = 3

// aheadMax is how many events the relay may be behind.
const aheadMax = 1000

// The broker that leads a partition is killed under load, comes back, and the
// next one is killed: real Kafka, three brokers, two of which have to confirm.
// Nothing is lost, nothing changes places, and a consumer that was there all the
// time has got everything once.
func TestRelay_LeaderKilled(t *testing.T) {
	t.Parallel()
	brokers := testenv.StartBrokers(t)
	r := roadOver(t, brokers.Addrs)
	f := follow(t, brokers.Addrs)
	stop := r.keepLoading()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers.Addrs...), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(t, err)
	defer client.Close()
	admin := kadm.NewClient(client)

	r.awaitPosition(aheadMax)
	for kill := range leaderKills {
		awaitCopies(t, admin)
		leader := leaderOf(t, admin, int32(kill%partitionsOfRoad))
		brokers.Kill(leader)
		before := r.relay.Status()
		r.awaitPosition(before.Position + 2*aheadMax) // more than can have been under way
		t.Logf("kill %d of %s at position %d, resumes %d", kill, leader, before.Position, before.Resumes)
		brokers.Restart()
	}
	awaitCopies(t, admin)
	stop()
	r.addr = brokers.Addrs[0]
	repeats := r.requireFeed()
	t.Logf("%d events, %d repeats, %+v", r.events, repeats, r.relay.Status())
	require.Eventually(t, func() bool { return f.seen.Load() >= r.events+int64(repeats) }, 3*time.Minute, 5*time.Millisecond,
		"a member of a group that was there all the time has not got everything")
	require.Equal(t, r.events+int64(repeats), f.seen.Load())
}

// follower is the only member of a group, and remembers itself how far it is.
type follower struct {
	mu   sync.Mutex
	next map[int32]int64
	seen atomic.Int64
}

// follow reads the topic as a projection does, from now until the test ends.
func follow(t *testing.T, brokers []string) *follower {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	subscriber, err := kafka.New(kafka.Config{Brokers: brokers, Topic: testenv.Topic, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(subscriber.Close)
	f := &follower{next: make(map[int32]int64)}
	background(t, func(ctx context.Context) error { return subscriber.Run(ctx, "follower", f) })
	return f
}

func (f *follower) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next[a.Partition], nil
}

// Consume counts what comes, each record once.
func (f *follower) Consume(_ context.Context, run bus.Run) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, record := range run.Records {
		if record.Offset != f.next[run.Partition] {
			return 0, fmt.Errorf("partition %d: offset %d came, %d was next", run.Partition, record.Offset, f.next[run.Partition])
		}
		f.next[run.Partition]++
		f.seen.Add(1)
	}
	return f.next[run.Partition], nil
}

func (f *follower) Revoke(int32) {}

const partitionsOfRoad = 6

// roadOver is a store and a relay over brokers that somebody else runs.
func roadOver(t *testing.T, brokers []string) *road {
	t.Helper()
	r := &road{t: t}
	store, err := eventstore.New(t.Context(), memory.NewEventStore(), eventstore.Config{})
	require.NoError(t, err)
	r.store = store
	background(t, store.Run)
	quiet := slog.New(slog.DiscardHandler)
	feed, err := kafka.New(kafka.Config{Brokers: brokers, Topic: testenv.Topic, Partitions: partitionsOfRoad, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(feed.Close)
	r.relay = relay.New(store, feed, memory.NewCheckpoints(), relay.Config{
		PageEvents: 500, CheckInterval: 200 * time.Millisecond, RetryMax: 200 * time.Millisecond, Logger: quiet,
	})
	r.startRelay()
	return r
}

// keepLoading appends up to a thousand events a second without end: more, and two
// cores have nothing left for a broker that is to come back. stop returns when
// nothing is appended any more.
func (r *road) keepLoading() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var loading sync.WaitGroup
	loading.Go(func() {
		for ctx.Err() == nil {
			if r.events-r.relay.Status().Position < aheadMax {
				r.load(10)
			}
			<-time.After(10 * time.Millisecond) // the pace of the load: nothing waits for it
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		loading.Wait()
	})
	r.t.Cleanup(stop)
	return stop
}

func (r *road) awaitPosition(position int64) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.relay.Status().Position >= position }, 3*time.Minute, 5*time.Millisecond,
		"the relay does not get to position %d: %+v", position, r.relay.Status())
}

// awaitCopies waits until every broker has a complete copy of every partition.
func awaitCopies(t *testing.T, admin *kadm.Client) {
	t.Helper()
	require.Eventually(t, func() bool {
		listed, err := admin.ListTopics(t.Context(), testenv.Topic)
		if err != nil || listed[testenv.Topic].Err != nil {
			return false
		}
		for _, partition := range listed[testenv.Topic].Partitions {
			if len(partition.ISR) != 3 {
				return false
			}
		}
		return true
	}, 2*time.Minute, 50*time.Millisecond, "a broker that came back does not catch up")
}

// leaderOf returns the address of the broker that leads a partition.
func leaderOf(t *testing.T, admin *kadm.Client, partition int32) string {
	t.Helper()
	metadata, err := admin.Metadata(t.Context(), testenv.Topic)
	require.NoError(t, err)
	leads := metadata.Topics[testenv.Topic].Partitions[partition].Leader
	for _, broker := range metadata.Brokers {
		if broker.NodeID == leads {
			return net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
		}
	}
	t.Fatalf("nobody leads partition %d", partition)
	return ""
}
