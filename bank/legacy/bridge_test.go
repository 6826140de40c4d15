package legacy_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/bank/events"
	"passbook/bank/legacy"
	contract "passbook/contract/account"
	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/engine/memory"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// cluster is the adapter that the program has too.
type cluster struct{ *kafka.Foreign }

func (c cluster) Producer() (legacy.Producer, error) { return c.Foreign.Producer() }

// scene is a store, a broker and what the bridge keeps.
type scene struct {
	t           *testing.T
	store       *eventstore.Store
	addr        string
	broker      *broker.Broker
	checkpoints checkpoint.Store
	versions    map[string]int64
	topics      *kafka.Foreign
}

func newScene(t *testing.T) *scene {
	t.Helper()
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	require.NoError(t, err)
	s := &scene{t: t, broker: b, addr: b.Addr(), checkpoints: memory.NewCheckpoints(), versions: make(map[string]int64)}
	s.running(b.Run)
	s.store, err = eventstore.New(t.Context(), memory.NewEventStore(), eventstore.Config{})
	require.NoError(t, err)
	s.running(s.store.Run)
	s.topics = s.foreign()
	return s
}

// running runs something until the test ends, or the returned function is called.
func (s *scene) running(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(s.t, <-ended)
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *scene) foreign() *kafka.Foreign {
	f, err := kafka.NewForeign(kafka.Config{Brokers: []string{s.addr}, Partitions: 3, Logger: slog.New(slog.DiscardHandler)}, legacy.Topics()...)
	require.NoError(s.t, err)
	s.t.Cleanup(f.Close)
	return f
}

// bridge runs a bridge; stop ends it.
func (s *scene) bridge(holder string) (b *legacy.Bridge, stop func()) {
	b, err := legacy.New(s.store, cluster{s.foreign()}, s.checkpoints, legacy.Config{
		Holder: holder, LeaseDuration: 300 * time.Millisecond, PageEvents: 16, GroupInterval: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(s.t, err)
	return b, s.running(b.Run)
}

// append adds events to accounts, one each in turn: the first opens it.
func (s *scene) append(count int, imported bool, accounts ...string) {
	codec, err := events.Codec()
	require.NoError(s.t, err)
	currency, err := contract.ParseCurrency("EUR")
	require.NoError(s.t, err)
	for i := range count {
		account := accounts[i%len(accounts)]
		version := s.versions[account]
		amount, err := contract.ParseAmount(strconv.Itoa(int(version)+1), currency)
		require.NoError(s.t, err)
		var payload any
		switch {
		case version == 0:
			payload = contract.Opened{AccountHolder: "John Doe", AccountType: contract.Savings, OpeningBalance: amount}
		case version%3 == 0:
			payload = contract.Withdrawn{Amount: amount, Balance: amount}
		default:
			payload = contract.Deposited{Amount: amount, Balance: amount}
		}
		kind, data, err := codec.Encode(payload)
		require.NoError(s.t, err)
		_, err = s.store.Append(s.t.Context(), eventstore.Commit{Stream: account, Expected: version - 1, Events: []event.Envelope{{
			ID: event.NewID(), Category: contract.AggregateType, Type: kind, Time: event.Truncate(time.Now()), Data: data,
			Metadata: event.Metadata{Imported: imported},
		}}})
		require.NoError(s.t, err)
		s.versions[account]++
	}
}

// held counts the records of each account and version in the topics.
func (s *scene) held() map[string]map[int64]int {
	topics, err := s.topics.Open(s.t.Context())
	require.NoError(s.t, err)
	found := make(map[string]map[int64]int)
	for _, topic := range topics {
		bounds, err := s.topics.Bounds(s.t.Context(), topic)
		require.NoError(s.t, err)
		for partition, bound := range bounds {
			for record, err := range s.topics.Read(s.t.Context(), topic, int32(partition), bound.First, bound.End) {
				require.NoError(s.t, err)
				var place struct {
					ID      string
					Version int64
				}
				require.NoError(s.t, json.Unmarshal(record.Value, &place))
				require.Equal(s.t, place.ID, record.Key)
				if found[place.ID] == nil {
					found[place.ID] = make(map[int64]int)
				}
				found[place.ID][place.Version]++
			}
		}
	}
	return found
}

// requireOnce wants every event from version first of each account in the topics,
// once.
func (s *scene) requireOnce(first map[string]int64) {
	s.t.Helper()
	want := make(map[string]map[int64]int)
	for account, versions := range s.versions {
		for version := first[account]; version < versions; version++ {
			if want[account] == nil {
				want[account] = make(map[int64]int)
			}
			want[account][version] = 1
		}
	}
	require.Equal(s.t, want, s.held())
}

// awaitAll waits until a bridge has dealt with the whole store.
func (s *scene) awaitAll(b *legacy.Bridge) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		lag, err := b.Lag(s.t.Context())
		return err == nil && lag == 0
	}, 30*time.Second, time.Millisecond, "%v", b.Status())
}

func TestBridge_FeedsAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.append(100, false, "a", "b", "c")
	b, stop := s.bridge("one")
	s.awaitAll(b)
	s.append(50, false, "a", "c", "d")
	s.awaitAll(b)
	s.requireOnce(nil)
	require.Equal(t, int64(150), b.Status().Published)
	require.False(t, b.Status().GroupKnown)
	stop()

	s.append(20, false, "b", "e")
	b, stop = s.bridge("one")
	s.awaitAll(b)
	s.requireOnce(nil)
	require.Equal(t, int64(20), b.Status().Published)
	stop()
}

// A checkpoint that is behind, or lost, costs reading, and doubles nothing.
func TestBridge_LostCheckpoint(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.append(60, false, "a", "b")
	b, stop := s.bridge("one")
	s.awaitAll(b)
	stop()
	s.checkpoints = memory.NewCheckpoints()
	s.append(10, false, "a", "c")
	b, stop = s.bridge("one")
	s.awaitAll(b)
	s.requireOnce(nil)
	require.Equal(t, int64(60), b.Status().Skipped)
	stop()
}

// What was imported from the original is in its read database already, unless
// its topics are empty.
func TestBridge_Imported(t *testing.T) {
	t.Parallel()
	t.Run("TopicsEmpty", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		s.append(9, true, "a", "b")
		b, _ := s.bridge("one")
		s.awaitAll(b)
		s.requireOnce(nil)
	})
	t.Run("TopicsInUse", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.topics.Open(t.Context())
		require.NoError(t, err)
		original, err := kgo.NewClient(kgo.SeedBrokers(s.addr))
		require.NoError(t, err)
		defer original.Close()
		require.NoError(t, original.ProduceSync(t.Context(), &kgo.Record{Topic: contract.LegacyTopicOpened, Key: []byte("z"), Value: []byte(`{"id":"z","version":0}`)}).FirstErr())
		s.append(9, true, "a", "b")
		imported := map[string]int64{"a": s.versions["a"], "b": s.versions["b"]}
		s.append(7, false, "a", "b", "c")
		b, _ := s.bridge("one")
		s.awaitAll(b)
		s.versions["z"] = 1
		s.requireOnce(imported)
	})
}

// Topics that were deleted are fed from the beginning.
func TestBridge_TopicsMadeAnew(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.append(30, false, "a", "b")
	b, stop := s.bridge("one")
	s.awaitAll(b)
	stop()
	other := newScene(t)
	other.store, other.checkpoints, other.versions = s.store, s.checkpoints, s.versions
	b, stop = other.bridge("one")
	other.awaitAll(b)
	other.requireOnce(nil)
	stop()
}

func TestBridge_OtherHistory(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.append(5, false, "a")
	b, stop := s.bridge("one")
	s.awaitAll(b)
	stop()
	other := newScene(t)
	other.checkpoints = s.checkpoints
	b, _ = other.bridge("one")
	require.Eventually(t, func() bool { return b.Status().Err != nil }, time.Minute, time.Millisecond)
	require.ErrorIs(t, b.Status().Err, legacy.ErrOtherHistory)
}

// Stopped and started at any moment, in turn by two, nothing is lost and
// nothing comes twice.
func TestBridge_Restarts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for i := range 20 {
		s.append(40, false, "a", "b", "c", "d", "e", "f", "g")
		b, stop := s.bridge(strconv.Itoa(i % 2))
		require.Eventually(t, func() bool { return b.Status().Published >= int64(i) }, time.Minute, time.Millisecond/4)
		stop()
	}
	b, stop := s.bridge("last")
	_, second := s.bridge("beside it")
	s.awaitAll(b)
	s.requireOnce(nil)
	second()
	stop()
}
