package projection_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

type awaited struct {
	reached int64
	err     error
}

// await waits in a goroutine that is known to wait when it returns.
func await(
	ctx context.Context, p *projection.Projection[memTx], stream string, version int64,
) <-chan awaited {
	done := make(chan awaited, 1)
	go func() {
		reached, err := p.Await(ctx, stream, version)
		done <- awaited{reached, err}
	}()
	synctest.Wait()
	return done
}

func TestProjection_Await(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		h := topic.History
		store := memory.NewProjectionStore()
		p := newProjection(t, store, tally(nil), projection.Config{AwaitPoll: time.Hour, WaitersMax: 3})
		first, later, other := await(t.Context(), p, "a", 1), await(t.Context(), p, "a", 2), await(t.Context(), p, "b", 0)
		_, err := p.Await(t.Context(), "a", 0)
		require.ErrorIs(t, err, projection.ErrTooManyWaiters)

		begin := time.Now()
		topic.Publish(0, h.Events("a", 0, 1)...)
		require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
		require.Equal(t, awaited{reached: 1}, <-first)
		require.Zero(t, time.Since(begin), "it is told at once")
		topic.Publish(0, h.Events("a", 2, 5)...)
		require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
		require.Equal(t, awaited{reached: 5}, <-later)

		// What another process commits is seen after a while.
		topic.Publish(0, h.Event("b", 0))
		require.NoError(t, newProjection(t, store, tally(nil), projection.Config{}).RunToEnd(t.Context(), topic, topic.Topic))
		require.Equal(t, awaited{reached: 0}, <-other)
		require.Equal(t, time.Hour, time.Since(begin))

		// What is there is not waited for, and who left makes room.
		reached, err := p.Await(t.Context(), "a", 3)
		require.NoError(t, err)
		require.Equal(t, int64(5), reached)
	})
}

func TestProjection_AwaitEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		topic.Publish(0, topic.History.Event("a", 0))
		p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{})
		require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		reached, err := p.Await(ctx, "a", 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, int64(0), reached)
		reached, err = p.Await(ctx, "b", 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, event.NoVersion, reached)
	})
}

// TestProjection_AwaitUnknownCommit: a commit without an answer is noticed when
// the batch is tried again.
func TestProjection_AwaitUnknownCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		topic.Publish(0, topic.History.Event("a", 0))
		store := &projectiontest.Hooked[memTx]{Store: memory.NewProjectionStore()}
		p := newProjection(t, store, tally(nil), projection.Config{AwaitPoll: time.Hour})
		_, err := p.Assign(t.Context(), topic.Assignment(0))
		require.NoError(t, err)
		waiting := await(t.Context(), p, "a", 0)
		store.After = func() error { return context.DeadlineExceeded }
		_, err = p.Consume(t.Context(), topic.Run(0, 0, 1))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		store.After = nil
		begin := time.Now()
		_, err = p.Consume(t.Context(), topic.Run(0, 0, 1))
		require.NoError(t, err)
		require.Equal(t, awaited{reached: 0}, <-waiting)
		require.Zero(t, time.Since(begin))
	})
}

// TestProjection_AwaitVisible waits for what queries see, not for the rows.
func TestProjection_AwaitVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		topic.Publish(0, topic.History.Events("a", 0, 9)...)
		store := memory.NewProjectionStore()
		require.NoError(t, newProjection(t, store, tally(nil), projection.Config{}).RunToEnd(t.Context(), topic, topic.Topic))
		looks := 0
		p := newProjection(t, store, tally(nil), projection.Config{
			Visible: func(context.Context, string) (int64, error) {
				looks++
				if looks == 4 {
					return 9, nil
				}
				return 0, nil
			},
		})
		reached, err := p.Await(t.Context(), "a", 5)
		require.NoError(t, err)
		require.Equal(t, int64(9), reached)
	})
}

// countedViews counts the transactions that only read.
type countedViews struct {
	projection.Store[memTx]
	views atomic.Int64
	fails atomic.Bool
}

func (s *countedViews) View(ctx context.Context, fn func(tx memTx) error) error {
	s.views.Add(1)
	if s.fails.Load() {
		return errors.New("engine is away")
	}
	return s.Store.View(ctx, fn)
}

// TestProjection_AwaitOneLooks: however many wait for what another process is to
// commit, one of them looks, and when that one leaves another does, in time.
func TestProjection_AwaitOneLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const poll, waiting = 100 * time.Millisecond, 50
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		store := &countedViews{Store: memory.NewProjectionStore()}
		p := newProjection(t, store, tally(nil), projection.Config{AwaitPoll: poll})
		var all []<-chan awaited
		leaving, leave := context.WithCancel(t.Context())
		gone := await(leaving, p, "a", 0)
		for range waiting {
			all = append(all, await(t.Context(), p, "a", 0))
		}
		<-time.After(poll / 2)
		leave() // the one that would have looked
		require.ErrorIs(t, (<-gone).err, context.Canceled)
		before := store.views.Load()
		<-time.After(poll*9/2 + poll/10)
		synctest.Wait()
		require.Equal(t, before+5, store.views.Load(), "one a poll, and none of them late")

		topic.Publish(0, topic.History.Event("a", 0))
		require.NoError(t, newProjection(t, store.Store, tally(nil), projection.Config{}).RunToEnd(t.Context(), topic, topic.Topic))
		for _, one := range all {
			require.Equal(t, awaited{reached: 0}, <-one)
		}
	})
}

// TestProjection_AwaitEngineIsAway: whoever waits is told, and not only the one
// who has looked for all.
func TestProjection_AwaitEngineIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &countedViews{Store: memory.NewProjectionStore()}
		p := newProjection(t, store, tally(nil), projection.Config{})
		first, second := await(t.Context(), p, "a", 0), await(t.Context(), p, "b", 0)
		store.fails.Store(true)
		begin := time.Now()
		require.ErrorContains(t, (<-first).err, "engine is away")
		require.ErrorContains(t, (<-second).err, "engine is away")
		require.Equal(t, 100*time.Millisecond, time.Since(begin))
	})
}
