package projection_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// subscriber leads a topic to a consumer as bus.Subscriber wants it, and looks
// for new records once a second.
type subscriber struct {
	mu     sync.Mutex
	topic  *projectiontest.Topic
	errors int
}

func (s *subscriber) publish(events ...event.Envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topic.Publish(0, events...)
}

func (s *subscriber) run(from int64) bus.Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.topic.Run(0, from, 3)
}

func (s *subscriber) Run(ctx context.Context, _ string, consumer bus.Consumer) error {
	next, err := consumer.Assign(ctx, s.topic.Assignment(0))
	if err != nil {
		return err
	}
	defer consumer.Revoke(0)
	for ctx.Err() == nil {
		run := s.run(next)
		if len(run.Records) > 0 {
			if to, err := consumer.Consume(ctx, run); err == nil {
				next = to
				continue
			}
			s.errors++
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func newProjection(
	t *testing.T, store projection.Store[memTx], model projection.Model[memTx], config projection.Config,
) *projection.Projection[memTx] {
	t.Helper()
	p, err := projection.New("tally", store, model, config)
	require.NoError(t, err)
	return p
}

func tally(fails func(e event.Envelope) error) projectiontest.Tally[memTx] {
	return projectiontest.Tally[memTx]{Rows: projectiontest.KeyValueRows[memTx]{}, Fails: fails}
}

// flaky fails until it is mended.
type flaky struct {
	*memory.ProjectionStore
	mu     sync.Mutex
	broken bool
}

func (f *flaky) breaks(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

func (f *flaky) LockParked(
	ctx context.Context, tx memTx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return nil, nil, errors.New("engine is away")
	}
	return f.ProjectionStore.LockParked(ctx, tx, consumer, streams)
}

// TestProjection_Run starts a program that knows more than the one before: what
// that one parked is tried again, however often the engine fails on the way.
func TestProjection_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		h := topic.History
		topic.Publish(0, h.Events("a", 0, 20)...)
		store := &flaky{ProjectionStore: memory.NewProjectionStore()}
		old := newProjection(t, store, tally(func(e event.Envelope) error {
			if e.ID == "a-1" {
				return event.ErrUnknownType
			}
			return nil
		}), projection.Config{})
		require.NoError(t, old.RunToEnd(t.Context(), topic, topic.Topic))
		parked, queue, err := old.ParkedStream(t.Context(), "a", 100)
		require.NoError(t, err)
		require.Equal(t, projection.ReasonUnapplicable, parked.Reason)
		require.Len(t, queue, 20)

		store.breaks(true)
		source := &subscriber{topic: topic}
		p := newProjection(t, store, tally(nil), projection.Config{Subscriber: source, DrainMax: 3})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		<-time.After(time.Minute)
		require.ErrorContains(t, p.Status().RedriveError, "engine is away")
		store.breaks(false)
		source.publish(h.Events("b", 0, 0)...)
		reached, err := p.Await(ctx, "a", 20)
		require.NoError(t, err)
		require.Equal(t, int64(20), reached)
		_, err = p.Await(ctx, "b", 0)
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, p.Status().RedriveError)
		require.NoError(t, p.Status().Partitions[0].Err)
		streams, err := p.Parked(ctx, "", 10)
		require.NoError(t, err)
		require.Empty(t, streams)

		cancel()
		require.NoError(t, <-ended)
		require.Empty(t, p.Status().Partitions, "they were given back")
	})
}

// TestProjection_RunDrains has a queue that is longer than one transaction
// takes drained without further records, while batches fail and are repeated.
func TestProjection_RunDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		h := topic.History
		topic.Publish(0, h.Event("a", 0))
		topic.Publish(0, h.Events("a", 2, 40)...)
		source := &subscriber{topic: topic}
		store := &flaky{ProjectionStore: memory.NewProjectionStore()}
		p := newProjection(t, store, tally(nil), projection.Config{Subscriber: source, DrainMax: 3})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		<-time.After(time.Minute)
		store.breaks(true)
		source.publish(h.Event("a", 1))
		<-time.After(time.Minute)
		require.ErrorContains(t, p.Status().Partitions[0].Err, "engine is away")
		require.Equal(t, int64(1), p.Status().Partitions[0].Lag)
		store.breaks(false)
		_, err := p.Await(ctx, "a", 40)
		require.NoError(t, err)
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestProjection_RunStartStop(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Events("a", 0, 50)...)
	p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{Subscriber: &subscriber{topic: topic}})
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		cancel()
		<-ended // with or without the assignment's error
	}
	require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
	reached, err := p.Await(t.Context(), "a", 50)
	require.NoError(t, err)
	require.Equal(t, int64(50), reached)
}

func TestProjection_RunNeedsSubscriber(t *testing.T) {
	t.Parallel()
	p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{})
	require.ErrorContains(t, p.Run(t.Context()), "Config.Subscriber")
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	_, err := projection.New("tally", memory.NewProjectionStore(), tally(nil), projection.Config{
		DrainMax: -1, RunMax: -2, WaitersMax: -3, AwaitPoll: -time.Second,
	})
	for _, setting := range []string{"DrainMax", "RunMax", "WaitersMax", "AwaitPoll"} {
		require.ErrorContains(t, err, setting)
	}
	_, err = projection.New("", memory.NewProjectionStore(), tally(nil), projection.Config{})
	require.ErrorContains(t, err, "no name")
}
