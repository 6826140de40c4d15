package eventstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// failing makes every attempt fail while down is set.
func failing(e *engine, with func() error) *atomic.Bool {
	down := &atomic.Bool{}
	down.Store(true)
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		if down.Load() {
			return nil, with()
		}
		return e.EventStore.Append(ctx, first, group)
	}
	return down
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		down := failing(e, notWritten)
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		store, stop := startStop(t, e, eventstore.Config{UnavailableAfter: 3 * time.Second, Logger: logger})
		began := time.Now()
		_, err := store.Append(t.Context(), opening("a", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.ErrorIs(t, err, errLost, "the cause is told")
		require.InDelta(t, 3, time.Since(began).Seconds(), 0.5)

		began = time.Now() // who comes while it is down need not wait as long
		_, err = store.Append(t.Context(), opening("b", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.Less(t, time.Since(began), time.Second)

		down.Store(false)
		receipt, err := store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
		require.Equal(t, eventstore.Receipt{Version: 0, Position: 1}, receipt)

		down.Store(true) // from now on it is patient again
		began = time.Now()
		_, err = store.Append(t.Context(), opening("c", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.Greater(t, time.Since(began), 2*time.Second)
		require.Positive(t, store.Stats().Failures)

		require.NoError(t, stop())
		require.Equal(t, 2, strings.Count(log.String(), "event store lost"), "a line each time that it is lost")
		require.Equal(t, 1, strings.Count(log.String(), "event store is back"))
	})
}

// TestShortOutage: who has patience notices nothing.
func TestShortOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		down := failing(e, notWritten)
		store := start(t, e, eventstore.Config{})
		time.AfterFunc(time.Second, func() { down.Store(false) })
		_, err := store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
	})
}

// TestCallerGivesUp: what was accepted is not taken back.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{})
		for _, at := range []string{"in flight", "queued"} {
			ctx, cancel := context.WithCancel(t.Context())
			p := submit(t, store, opening(at, 1), nil)
			synctest.Wait()
			cancel()
			_, err := p.Wait(ctx)
			require.ErrorIs(t, err, eventstore.ErrOutcomeUnknown)
			require.ErrorIs(t, err, context.Canceled)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := store.Append(ctx, opening("with a deadline", 1))
		require.ErrorIs(t, err, eventstore.ErrOutcomeUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		g.pass()
		g.pass()
		synctest.Wait()
		for _, stream := range []string{"in flight", "queued", "with a deadline"} {
			require.Zero(t, e.version(stream), "%s: it was accepted", stream)
		}
	})
}

// TestAnswerBeatsContext: an answer that is there is given, also to a caller
// whose time is up.
func TestAnswerBeatsContext(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	p := submit(t, store, opening("a", 1), nil)
	requireWritten(t, p, 0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	receipt, err := p.Wait(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(1), receipt.Position)
}

// TestAttemptTimeout: an engine that hangs is asked again, and the caller's own
// deadline is not the engine's.
func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		attempts := 0
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			if attempts++; attempts == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return e.EventStore.Append(ctx, first, group)
		}
		store := start(t, e, eventstore.Config{AttemptTimeout: 7 * time.Second})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := submit(t, store, opening("a", 1), nil)
		_, err := p.Wait(ctx)
		require.ErrorIs(t, err, eventstore.ErrOutcomeUnknown)
		requireWritten(t, p, 0, 1)
		require.InDelta(t, 7, time.Since(began).Seconds(), 0.5)
	})
}

func TestOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{QueueMax: 3})
		accepted := []*eventstore.Pending{submit(t, store, opening("0", 1), nil)}
		<-g.arrived
		for _, stream := range []string{"1", "2", "3"} {
			accepted = append(accepted, submit(t, store, opening(stream, 1), nil))
		}
		require.Equal(t, 3, store.Stats().Waiting)
		refused := opening("4", 1)
		_, err := store.Submit(refused, nil)
		require.ErrorIs(t, err, eventstore.ErrOverloaded)
		g.open <- struct{}{}
		g.pass()
		for i, p := range accepted {
			requireWritten(t, p, 0, int64(i)+1)
		}
		requireAbsent(t, e, refused)
		again := submit(t, store, refused, nil)
		g.pass()
		requireWritten(t, again, 0, 5)
	})
}

// TestStop: what was accepted is written, what comes later is refused.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store, stop := startStop(t, e, eventstore.Config{GroupEvents: 10})
		var accepted []*eventstore.Pending
		for i := range 30 {
			accepted = append(accepted, submit(t, store, opening(string(rune('a'+i)), 1), nil))
		}
		stopped := make(chan error)
		<-g.arrived
		go func() { stopped <- stop() }()
		synctest.Wait()
		_, err := store.Submit(opening("late", 1), nil)
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		g.open <- struct{}{}
		for open := true; open; {
			select {
			case <-g.arrived:
				g.open <- struct{}{}
			case err := <-stopped:
				require.NoError(t, err)
				open = false
			}
		}
		for i, p := range accepted {
			requireWritten(t, p, 0, int64(i)+1)
		}
	})
}

// TestStop_EngineAway: there is an end to it, and each caller is told what is so.
func TestStop_EngineAway(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		with    func() error
		inHand  error
		waiting error
	}{
		"in doubt": {func() error { return errLost }, eventstore.ErrOutcomeUnknown, eventstore.ErrUnavailable},
		"down":     {notWritten, eventstore.ErrUnavailable, eventstore.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				failing(e, test.with)
				store, stop := startStop(t, e, eventstore.Config{
					GroupEvents: 1, DrainTimeout: 4 * time.Second, UnavailableAfter: time.Hour,
				})
				inHand, waiting := submit(t, store, opening("a", 1), nil), submit(t, store, opening("b", 1), nil)
				elapse(time.Minute)
				began := time.Now()
				require.NoError(t, stop())
				require.InDelta(t, 4, time.Since(began).Seconds(), 0.5)
				requireFailed(t, inHand, test.inHand)
				requireFailed(t, waiting, test.waiting)
				require.NotContains(t, e.groups, []string{"b"}, "it was not tried")
			})
		})
	}
}

// TestHeadAway: the head cannot be read when a place has to be found. What does
// not need it is written; who has to wait for it is told in time.
func TestHeadAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		asked := false
		e.onHead = func(context.Context) (int64, error) {
			if asked {
				return 0, errLost
			}
			asked = true // New has to succeed
			return 0, nil
		}
		p := inOneGroup(t, e, commit("bad", 5, 1), opening("good", 1))
		requireFailed(t, p[0], eventstore.ErrConflict)
		requireWritten(t, p[1], 0, 2)
	})
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		calls := 0
		e.onHead = func(ctx context.Context) (int64, error) {
			switch calls++; {
			case calls == 1:
				return 0, nil // New has to succeed
			case calls%2 == 0:
				<-ctx.Done()
			}
			return 0, errLost
		}
		store := start(t, e, eventstore.Config{UnavailableAfter: 3 * time.Second, AttemptTimeout: time.Second})
		e.elsewhere(opening("theirs", 1))
		began := time.Now()
		_, err := store.Append(t.Context(), opening("a", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.InDelta(t, 3, time.Since(began).Seconds(), 1.5)
		require.Equal(t, event.NoVersion, e.version("a"))
	})
}

// TestStop_NotVisible: a collision with something that never becomes visible.
func TestStop_NotVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.onAppend = func(_ context.Context, _ int64, group commits) (outcomes, error) {
			return make(outcomes, len(group)), nil
		}
		store, stop := startStop(t, e, eventstore.Config{})
		p := submit(t, store, opening("a", 1), nil)
		elapse(time.Minute + time.Millisecond) // so that it is stopped in the midst of a pause
		require.False(t, settled(p))
		require.NoError(t, stop())
		requireFailed(t, p, eventstore.ErrUnavailable)
	})
}

// TestPatienceBeginsAtTheLastAnswer: an engine that has kept a group waiting, and
// is lost then, is tried for as long as any other before callers are told.
func TestPatienceBeginsAtTheLastAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		began, lost := time.Now(), false
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			switch {
			case time.Since(began) < 3*time.Second:
				return make(outcomes, len(group)), nil
			case !lost:
				lost = true
				return nil, notWritten()
			}
			return e.EventStore.Append(ctx, first, group)
		}
		store := start(t, e, eventstore.Config{UnavailableAfter: time.Second})
		requireWritten(t, submit(t, store, opening("a", 1), nil), 0, 1)
	})
}
