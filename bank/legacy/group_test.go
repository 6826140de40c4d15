package legacy_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/bank/legacy"
	"passbook/es/bus"
)

// original is the query service of the Java system as far as it matters here:
// four listeners in one group, each with a topic of its own, that apply a record,
// each at its own pace, and commit it.
type original struct {
	mu       sync.Mutex
	applied  map[string][]int64
	slowness map[string]time.Duration
}

func (o *original) listen(ctx context.Context, t *testing.T, addr, topic string) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addr), kgo.ConsumerGroup(legacy.Group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(time.Second))
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	for {
		fetches := client.PollRecords(ctx, 1)
		if ctx.Err() != nil {
			return
		}
		for _, record := range fetches.Records() {
			<-time.After(o.slowness[topic]) // the pace of this listener: nothing waits for it
			var place struct {
				ID      string
				Version int64
			}
			if err := json.Unmarshal(record.Value, &place); err != nil {
				t.Error(err)
			}
			o.mu.Lock()
			o.applied[place.ID] = append(o.applied[place.ID], place.Version)
			o.mu.Unlock()
			if err := client.CommitRecords(ctx, record); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}
}

// count returns how many records were applied.
func (o *original) count() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, versions := range o.applied {
		n += len(versions)
	}
	return n
}

// The original's listeners race, and one of them lags behind the others: still
// no record of an account is applied before the one that it follows.
func TestBridge_WaitsForTheOriginal(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	topics := legacy.Topics()
	_, err := s.topics.Open(t.Context())
	require.NoError(t, err)
	o := &original{applied: make(map[string][]int64), slowness: map[string]time.Duration{topics[0]: 20 * time.Millisecond, topics[1]: 2 * time.Millisecond}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var listeners sync.WaitGroup
	for _, topic := range topics {
		listeners.Go(func() { o.listen(ctx, t, s.addr, topic) })
	}
	defer listeners.Wait()
	defer stop()
	require.Eventually(t, func() bool {
		_, known, err := s.topics.Committed(t.Context(), legacy.Group)
		return err == nil && known
	}, 20*time.Second, 10*time.Millisecond, "the listeners did not come")

	const events = 60
	s.append(events, false, "a", "b", "c", "d")
	b, end := s.bridge("one")
	require.Eventually(t, func() bool { return b.Status().Published >= events/2 }, 30*time.Second, time.Millisecond)
	end() // and on from the middle
	b, _ = s.bridge("one")
	s.awaitAll(b)
	require.True(t, b.Status().GroupKnown)
	require.Eventually(t, func() bool { return o.count() >= events }, 30*time.Second, time.Millisecond)
	for account, versions := range o.applied {
		for i, version := range versions {
			require.Equal(t, int64(i), version, "account %s: %v", account, versions)
		}
	}
	s.requireOnce(nil)
}

// asking counts how often it was asked for the group's offsets.
type asking struct {
	cluster
	asked chan struct{}
}

func (a asking) Committed(ctx context.Context, group string) (map[string][]int64, bool, error) {
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return a.cluster.Committed(ctx, group)
}

// A service that is there but does not get on holds its bridge up, also one that
// has just begun: what an earlier bridge published was not dealt with yet.
func TestBridge_OriginalStandsStill(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, err := s.topics.Open(t.Context())
	require.NoError(t, err)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr))
	require.NoError(t, err)
	defer client.Close()
	commit := func(offset int64) {
		var offsets kadm.Offsets
		for _, topic := range legacy.Topics() {
			for partition := range int32(3) {
				offsets.AddOffset(topic, partition, offset, -1)
			}
		}
		responses, err := kadm.NewClient(client).CommitOffsets(t.Context(), legacy.Group, offsets)
		require.NoError(t, err)
		require.NoError(t, responses.Error())
	}
	commit(0)
	s.append(6, false, "a", "b")
	b, end := s.bridge("one")
	require.Eventually(t, func() bool { return b.Status().Published == 2 }, time.Minute, time.Millisecond)
	end()
	asked := make(chan struct{})
	b, err = legacy.New(s.store, asking{cluster{s.foreign()}, asked}, s.checkpoints, legacy.Config{
		Holder: "one", GroupInterval: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	s.running(b.Run)
	for range 5 {
		<-asked
	}
	require.Zero(t, b.Status().Published)
	commit(100)
	s.awaitAll(b)
	s.requireOnce(nil)
}

// slow has a record arrive and its acknowledgement wait.
type slow struct {
	cluster
	arrived, release chan struct{}
}

func (s slow) Producer() (legacy.Producer, error) {
	p, err := s.cluster.Producer()
	return slowProducer{p, s}, err
}

type slowProducer struct {
	legacy.Producer
	slow
}

func (p slowProducer) Publish(ctx context.Context, topic string, m bus.Message) (int32, int64, error) {
	partition, offset, err := p.Producer.Publish(ctx, topic, m)
	p.arrived <- struct{}{}
	select {
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-p.release:
	}
	return partition, offset, err
}

// A bridge that is told to stop waits for the fate of what is under way.
func TestBridge_StopsPatiently(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.append(1, false, "a")
	held := slow{cluster{s.foreign()}, make(chan struct{}, 1), make(chan struct{})}
	b, err := legacy.New(s.store, held, s.checkpoints, legacy.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	<-held.arrived
	stop()
	close(held.release)
	require.NoError(t, <-ended)
	require.Equal(t, int64(1), b.Status().Published)
}
