package projection_test

import (
	"context"
	"fmt"
	"sync/atomic"
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

// busFunc is a subscriber that does with the consumer what a test wants.
type busFunc func(ctx context.Context, consumer bus.Consumer) error

func (f busFunc) Run(ctx context.Context, _ string, consumer bus.Consumer) error {
	return f(ctx, consumer)
}

// updates counts the transactions that were committed.
type updates struct {
	projection.Store[memTx]
	committed atomic.Int32
	// during is called in each of them, a func(context.Context) error.
	during atomic.Value
}

func doNothing(context.Context) error { return nil }

func (u *updates) Update(ctx context.Context, fn func(tx memTx) error) error {
	err := u.Store.Update(ctx, func(tx memTx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return u.during.Load().(func(context.Context) error)(ctx)
	})
	if err == nil {
		u.committed.Add(1)
	}
	return err
}

// gatherScene is a topic of three partitions, of which a consumer was assigned
// all, each with events of one stream.
type gatherScene struct {
	*projectiontest.Topic
	t        *testing.T
	consumer bus.Consumer
	updates  *updates
	began    time.Time
}

// inPace runs a test on a clock of its own.
func inPace(t *testing.T, pace time.Duration, fails func(event.Envelope) error, test func(ctx context.Context, s *gatherScene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 3, projectiontest.NewHistory("history"))
		for partition, stream := range []string{"a", "b", "c"} {
			topic.Publish(int32(partition), topic.History.Events(stream, 0, 20)...)
		}
		store := &updates{Store: memory.NewProjectionStore()}
		store.during.Store(doNothing)
		p := newProjection(t, store, tally(fails), projection.Config{
			Pace: pace,
			Subscriber: busFunc(func(ctx context.Context, consumer bus.Consumer) error {
				for partition := range int32(3) {
					if _, err := consumer.Assign(ctx, topic.Assignment(partition)); err != nil {
						return err
					}
				}
				synctest.Wait() // for the sweep
				store.committed.Store(0)
				test(ctx, &gatherScene{Topic: topic, t: t, consumer: consumer, updates: store, began: time.Now()})
				return nil
			}),
		})
		require.NoError(t, p.Run(t.Context()))
	})
}

// consume consumes the records from an offset on up to another, behind which the
// partition ends.
func (s *gatherScene) consume(ctx context.Context, partition int32, from, to int64) (next int64, err error) {
	run := s.Run(partition, from, int(to-from))
	run.End = to
	return s.consumer.Consume(ctx, run)
}

// take is a consume that works, and returns how much time has gone by altogether.
func (s *gatherScene) take(partition int32, from, to int64) time.Duration {
	s.t.Helper()
	next, err := s.consume(s.t.Context(), partition, from, to)
	require.NoError(s.t, err)
	require.Equal(s.t, to, next)
	return time.Since(s.began)
}

// begin makes the first transaction, from which on the others are to keep their
// distance.
func (s *gatherScene) begin() {
	s.t.Helper()
	s.take(0, 0, 1)
	s.began = time.Now()
}

// backlog consumes records behind which there are others.
func (s *gatherScene) backlog(partition int32, from, to int64) time.Duration {
	s.t.Helper()
	_, err := s.consumer.Consume(s.t.Context(), s.Run(partition, from, int(to-from)))
	require.NoError(s.t, err)
	return time.Since(s.began)
}

// beside consumes in a goroutine of its own, and comes back when that waits.
func (s *gatherScene) beside(ctx context.Context, partition int32, from, to int64) <-chan error {
	ended := make(chan error, 1)
	go func() {
		next, err := s.consume(ctx, partition, from, to)
		if err == nil && next != to {
			err = fmt.Errorf("next is %d, not %d", next, to)
		}
		ended <- err
	}()
	synctest.Wait()
	return ended
}

const (
	pace = 30 * time.Millisecond
	// boarding is how long others are waited for in any case.
	boarding = pace / 10
)

func TestRun_KeepsAPace(t *testing.T) {
	t.Parallel()
	inPace(t, pace, nil, func(_ context.Context, s *gatherScene) {
		s.begin()
		require.Equal(t, pace, s.take(0, 1, 3))
		require.Equal(t, 2*pace, s.take(1, 0, 4), "another partition has no pace of its own")
		require.Equal(t, 2*pace, s.backlog(0, 3, 8), "who is behind does not wait")
		require.Equal(t, 3*pace, s.take(0, 8, 9))
		<-time.After(pace)
		require.Equal(t, 4*pace+boarding, s.take(0, 9, 10), "after a pause, soon")
	})
}

func TestRun_WithoutPace(t *testing.T) {
	t.Parallel()
	inPace(t, -1, nil, func(_ context.Context, s *gatherScene) {
		for at := range int64(10) {
			require.Zero(t, s.take(0, at, at+1))
		}
	})
}

func TestRun_OneTransactionForAllPartitions(t *testing.T) {
	t.Parallel()
	inPace(t, pace, nil, func(ctx context.Context, s *gatherScene) {
		s.begin()
		a, b := s.beside(ctx, 2, 0, 3), s.beside(ctx, 0, 1, 2)
		require.Equal(t, pace, s.take(1, 0, 2))
		require.NoError(t, <-a)
		require.NoError(t, <-b)
		require.EqualValues(t, 2, s.updates.committed.Load())
		require.Equal(t, 2*pace, s.take(1, 2, 3))
		require.EqualValues(t, 3, s.updates.committed.Load())
	})
}

// What is wrong with one partition is no matter of the others.
func TestRun_TransactionOfAllFails(t *testing.T) {
	t.Parallel()
	inPace(t, pace, nil, func(ctx context.Context, s *gatherScene) {
		s.begin()
		// Somebody else has gone on with partition 1.
		other := newProjection(t, s.updates.Store, tally(nil), projection.Config{})
		_, err := other.Assign(ctx, s.Assignment(1))
		require.NoError(t, err)
		_, err = other.Consume(ctx, s.Run(1, 0, 5))
		require.NoError(t, err)

		a, c := s.beside(ctx, 0, 1, 2), s.beside(ctx, 2, 0, 1)
		next, err := s.consume(ctx, 1, 0, 2)
		require.NoError(t, err)
		require.EqualValues(t, 4, next, "it goes on where the other one was, one record before")
		require.NoError(t, <-a)
		require.NoError(t, <-c)
		require.EqualValues(t, 3, s.updates.committed.Load(), "the first one, and partitions 0 and 2 by themselves")
	})
}

// An event that cannot be applied stops its stream, and not what shares its
// transaction.
func TestRun_TransactionOfAllParks(t *testing.T) {
	t.Parallel()
	unknown := func(e event.Envelope) error {
		if e.Stream == "b" {
			return projection.NewUnapplicable(e, event.ErrUnknownType)
		}
		return nil
	}
	inPace(t, pace, unknown, func(ctx context.Context, s *gatherScene) {
		s.begin()
		a, b := s.beside(ctx, 0, 1, 2), s.beside(ctx, 1, 0, 3)
		require.Equal(t, pace, s.take(2, 0, 1))
		require.NoError(t, <-a)
		require.NoError(t, <-b)
		require.EqualValues(t, 2, s.updates.committed.Load())
	})
}

// A member that has to go does not wait for the next transaction, nor hold up
// who does.
func TestRun_LeavesBeforeTheTransaction(t *testing.T) {
	t.Parallel()
	inPace(t, time.Hour, nil, func(ctx context.Context, s *gatherScene) {
		s.begin()
		leaving, leave := context.WithTimeout(ctx, time.Minute)
		defer leave()
		left := s.beside(leaving, 0, 1, 2)
		stays := s.beside(ctx, 1, 0, 1)
		require.ErrorIs(t, <-left, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(s.began))
		require.NoError(t, <-stays)
		require.Equal(t, time.Hour, time.Since(s.began))
		require.Equal(t, 2*time.Hour, s.take(0, 1, 2), "nothing of it was taken: it can be taken later")

		alone, leave := context.WithTimeout(ctx, time.Minute)
		defer leave()
		require.ErrorIs(t, <-s.beside(alone, 0, 2, 3), context.DeadlineExceeded)
		require.Equal(t, 3*time.Hour, s.take(0, 2, 3))
	})
}

// Who has to go while the transaction is under way learns what became of it; and
// where it is the one that has begun it, the others go without.
func TestRun_LeavesDuringTheTransaction(t *testing.T) {
	t.Parallel()
	for _, first := range []int32{0, 1} {
		inPace(t, pace, nil, func(ctx context.Context, s *gatherScene) {
			s.begin()
			leaving, leave := context.WithCancel(ctx)
			defer leave()
			ends := make(map[int32]<-chan error)
			began := false // by the one that leaves
			s.updates.during.Store(func(ctx context.Context) error {
				s.updates.during.Store(doNothing)
				leave()
				synctest.Wait()
				began = ctx.Err() != nil
				return ctx.Err()
			})
			for _, partition := range []int32{first, 1 - first} {
				by := ctx
				if partition == 0 {
					by = leaving
				}
				ends[partition] = s.beside(by, partition, 1-int64(partition), 2-int64(partition))
			}
			require.NoError(t, <-ends[1])
			require.Equal(t, pace, time.Since(s.began))
			err := <-ends[0]
			if !began {
				require.NoError(t, err)
				require.Equal(t, 2*pace, s.take(0, 2, 3), "it was taken")
				return
			}
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, 2*pace, s.take(0, 1, 2))
		})
	}
}
