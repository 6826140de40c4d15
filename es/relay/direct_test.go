package relay_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/bus/bustest"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

func newDirect(source relay.Source) *relay.Direct {
	return relay.NewDirect(source, relay.Config{PageEvents: 7, RetryMin: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
}

func TestDirect(t *testing.T) {
	bustest.Run(t, bustest.Options{New: func(testing.TB) bustest.Bus {
		store := newHistory("history-1")
		return bustest.Bus{
			Partitions: 1,
			Subscriber: newDirect(store),
			Append: func(_ context.Context, events []event.Envelope) error {
				store.put(events...)
				return nil
			},
		}
	}})
}

// reader is a consumer that keeps what it gets.
type reader struct {
	mu        sync.Mutex
	from      int64
	positions []int64
	assigned  []bus.Assignment
	revoked   int
	fail      error
}

func (r *reader) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.assigned = append(r.assigned, a)
	return r.from, nil
}

func (r *reader) Consume(_ context.Context, run bus.Run) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return 0, r.fail
	}
	for _, record := range run.Records {
		_, e, err := bus.Decode(record.Message)
		if err != nil || e.Position != record.Offset+1 {
			return 0, errors.Join(err, errors.New("the offset is not the position less one"))
		}
		r.positions = append(r.positions, e.Position)
	}
	return run.Records[len(run.Records)-1].Offset + 1, nil
}

func (r *reader) Revoke(int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked++
}

func (r *reader) got() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int64(nil), r.positions...)
}

func upTo(from, to int64) (positions []int64) {
	for p := from; p <= to; p++ {
		positions = append(positions, p)
	}
	return positions
}

// TestDirect_Topic: consumers keep the topic's id with their place, so another
// history has to be another topic.
func TestDirect_Topic(t *testing.T) {
	a, again, b := newDirect(newHistory("a")), newDirect(newHistory("a")), newDirect(newHistory("b"))
	require.Equal(t, a.Topic(), again.Topic())
	require.NotEqual(t, a.Topic().ID, b.Topic().ID)
	require.EqualValues(t, 1, a.Topic().Partitions)
}

func TestDirect_OneActiveMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newHistory("h")
		store.fill(10)
		direct := newDirect(store)
		first, second := &reader{}, &reader{from: 10}
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- direct.Run(ctx, "group", first) }()
		synctest.Wait()
		done := make(chan error, 1)
		other, cancel := context.WithCancel(t.Context())
		go func() { done <- direct.Run(other, "group", second) }()
		synctest.Wait()
		require.Equal(t, upTo(1, 10), first.got())
		require.Empty(t, second.assigned)
		leave()
		require.NoError(t, <-gone)
		require.Equal(t, 1, first.revoked)
		store.fill(5)
		synctest.Wait()
		require.Equal(t, upTo(11, 15), second.got())
		cancel()
		require.NoError(t, <-done)
	})
}

func TestDirect_OffsetOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newHistory("h")
		store.fill(10)
		consumer := &reader{from: 11}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- newDirect(store).Run(ctx, "group", consumer) }()
		synctest.Wait()
		require.Empty(t, consumer.got())
		consumer.mu.Lock()
		consumer.from = 4
		consumer.mu.Unlock()
		after(time.Minute)
		require.Equal(t, upTo(5, 10), consumer.got())
		require.Equal(t, bus.Bounds{End: 10}, consumer.assigned[0].Bounds)
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, 1, consumer.revoked)
	})
}

// TestDirect_MissingPosition: what is missing will not come by waiting.
func TestDirect_MissingPosition(t *testing.T) {
	store := newHistory("h")
	store.fill(10)
	store.lose(6)
	consumer := &reader{}
	require.ErrorIs(t, newDirect(store).Run(t.Context(), "group", consumer), eventstore.ErrMissing)
	require.Equal(t, upTo(1, 5), consumer.got())
}

// TestDirect_SeeksInTheMiddle: a consumer may want another place at any run.
func TestDirect_SeeksInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newHistory("h")
		store.fill(30)
		consumer := &seeker{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- newDirect(store).Run(ctx, "group", consumer) }()
		synctest.Wait()
		require.Equal(t, append(upTo(1, 7), upTo(3, 30)...), consumer.got())
		cancel()
		require.NoError(t, <-done)
	})
}

// seeker goes back to offset 2 after its first run.
type seeker struct {
	reader
	went bool
}

func (s *seeker) Consume(ctx context.Context, run bus.Run) (int64, error) {
	next, err := s.reader.Consume(ctx, run)
	if err == nil && !s.went {
		s.went = true
		return 2, nil
	}
	return next, err
}

// TestDirect_EmptyPromises: a store that announces events and shows none costs
// no loop without a pause.
func TestDirect_EmptyPromises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &boaster{history: newHistory("h")}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- newDirect(source).Run(ctx, "group", &reader{}) }()
		after(time.Second)
		require.LessOrEqual(t, source.awaited, 1001)
		cancel()
		require.NoError(t, <-done)
	})
}

// TestDirect_StoreAway: it is tried again for ever, and nothing is passed over.
func TestDirect_StoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newHistory("h")
		store.fill(10)
		store.fail(errors.New("away"))
		consumer := &reader{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- newDirect(store).Run(ctx, "group", consumer) }()
		synctest.Wait()
		store.fail(nil)
		after(time.Minute)
		require.Equal(t, upTo(1, 10), consumer.got())
		cancel()
		require.NoError(t, <-done)
	})
}

// after lets time pass, in a synctest bubble.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
