package eventstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// watcher is an engine with a watch that the test leads.
type watcher struct {
	*engine
	// began gets the wake function of each watch; what is sent to end ends it.
	began chan func()
	end   chan error
	ended chan struct{}
	// looks counts how often the head was asked for.
	looks int
}

func newWatcher(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{
		engine: newEngine(t), began: make(chan func()),
		end: make(chan error), ended: make(chan struct{}, 100),
	}
	w.features.SharedWriters = true
	w.onHead = func(ctx context.Context) (int64, error) {
		w.looks++
		return w.EventStore.Head(ctx)
	}
	return w
}

func (w *watcher) Watch(ctx context.Context, wake func()) error {
	defer func() { w.ended <- struct{}{} }()
	select {
	case w.began <- wake:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.end:
		return err
	case <-ctx.Done():
		elapse(time.Second) // it takes its time, and is waited for
		return ctx.Err()
	}
}

// seldom polls so seldom that it is no help.
var seldom = eventstore.Config{PollInterval: 24 * time.Hour}

// TestWatch: who waits is woken, once for what came before he waited, and as
// often as there is something.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, w := time.Now(), newWatcher(t)
		store := start(t, w, seldom)
		first, second := awaiting(t.Context(), store, 0), awaiting(t.Context(), store, 1)
		wake := <-w.began
		wake() // for nothing
		synctest.Wait()
		require.Empty(t, first)

		w.elsewhere(opening("a", 1))
		synctest.Wait()
		require.Empty(t, first, "nobody has said anything yet")
		wake()
		require.NoError(t, <-first)
		synctest.Wait()
		require.Empty(t, second)

		w.elsewhere(opening("b", 1))
		wake()
		require.NoError(t, <-second)

		w.elsewhere(opening("c", 1)) // while nobody waits
		wake()
		synctest.Wait()
		looks := w.looks
		require.NoError(t, store.Await(t.Context(), 2))
		require.Equal(t, looks+1, w.looks)
		require.Zero(t, time.Since(began))
	})
}

// TestWatch_Looks: a call is worth one look at the store, and only somebody who
// waits looks.
func TestWatch_Looks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWatcher(t)
		store := start(t, w, seldom)
		looks := w.looks
		ctx, cancel := context.WithCancel(t.Context())
		given := awaiting(ctx, store, 0)
		wake := <-w.began
		synctest.Wait()
		require.Equal(t, looks, w.looks)
		for range 3 {
			wake()
			synctest.Wait()
			looks++
			require.Equal(t, looks, w.looks)
		}
		cancel()
		require.ErrorIs(t, <-given, context.Canceled)
		wake()
		wake()
		synctest.Wait()
		require.Equal(t, looks, w.looks, "nobody waits")
		next := awaiting(t.Context(), store, 0)
		synctest.Wait()
		require.Equal(t, looks+1, w.looks, "both calls are answered by one look")
		w.elsewhere(opening("a", 1))
		wake()
		require.NoError(t, <-next)
	})
}

// TestWatch_LookFails: a call whose look failed is still worth one.
func TestWatch_LookFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, w := time.Now(), newWatcher(t)
		store := start(t, w, seldom)
		waiting := awaiting(t.Context(), store, 0)
		wake := <-w.began
		w.elsewhere(opening("a", 1))
		good := w.onHead
		w.onHead = func(context.Context) (int64, error) { return 0, errLost }
		wake()
		require.ErrorIs(t, <-waiting, errLost)
		w.onHead = good
		require.NoError(t, store.Await(t.Context(), 0))
		require.Zero(t, time.Since(began))
	})
}

// TestWatch_LookIsOlder: what was asked before a call is no answer to it.
func TestWatch_LookIsOlder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, w := time.Now(), newWatcher(t)
		store := start(t, w, seldom)
		asked, answer := make(chan struct{}, 1), make(chan struct{})
		waiting := awaiting(t.Context(), store, 0)
		wake := <-w.began
		good := w.onHead
		w.onHead = func(ctx context.Context) (int64, error) {
			position, err := good(ctx)
			asked <- struct{}{}
			<-answer
			return position, err
		}
		wake()
		<-asked
		w.elsewhere(opening("a", 1))
		wake()
		close(answer)
		require.NoError(t, <-waiting)
		require.Zero(t, time.Since(began))
	})
}

// TestWatch_Misses: a watch that says nothing keeps nothing from anybody.
func TestWatch_Misses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWatcher(t)
		store := start(t, w, eventstore.Config{PollInterval: 10 * time.Second})
		waiting := awaiting(t.Context(), store, 0)
		<-w.began
		elapse(time.Second)
		w.elsewhere(opening("a", 1))
		began := time.Now()
		require.NoError(t, <-waiting)
		require.Equal(t, 9*time.Second, time.Since(began))
	})
}

// TestWatch_Again: a watch that ends is begun again, after a longer pause each
// time it did not even begin; people are told once, and once that it is over.
func TestWatch_Again(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWatcher(t)
		store := start(t, w, eventstore.Config{PollInterval: 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		waiting := awaiting(t.Context(), store, 0)
		wake := <-w.began
		wake()
		var pauses []time.Duration
		for range 9 {
			w.end <- errLost
			ended := time.Now()
			wake = <-w.began
			pauses = append(pauses, time.Since(ended))
		}
		const ms = time.Millisecond
		require.Equal(t, []time.Duration{
			100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 10 * time.Second, 10 * time.Second,
		}, pauses)
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), "level=WARN")
		require.Contains(t, log.String(), errLost.Error())

		w.elsewhere(opening("a", 1)) // and nobody was told
		synctest.Wait()
		require.Empty(t, waiting)
		wake()
		require.NoError(t, <-waiting)
		wake()
		require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())

		w.end <- nil
		ended := time.Now()
		<-w.began
		require.Equal(t, 100*ms, time.Since(ended))
		require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
	})
}

// TestWatch_Owned: Run waits for the watch, and there is none behind it.
func TestWatch_Owned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, pausing := range []bool{false, true} {
			w := newWatcher(t)
			store, stop := startStop(t, w, seldom)
			ctx, cancel := context.WithCancel(t.Context())
			given := awaiting(ctx, store, 0)
			<-w.began
			if pausing {
				w.end <- errLost
				<-w.ended
				synctest.Wait()
			}
			require.NoError(t, stop())
			if !pausing {
				require.Len(t, w.ended, 1, "the watch has not ended")
			}
			cancel()
			require.ErrorIs(t, <-given, context.Canceled)
		}
	})
}

// TestWatch_NotWanted: where nobody waits, and where nobody else writes, nothing
// is watched.
func TestWatch_NotWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWatcher(t)
		store, stop := startStop(t, w, seldom)
		_, err := store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
		require.NoError(t, store.Await(t.Context(), 0), "it is there already")
		elapse(time.Hour)
		require.NoError(t, stop())
		require.Empty(t, w.ended)

		alone := newWatcher(t)
		alone.features.SharedWriters = false
		store, stop = startStop(t, alone, seldom)
		waiting := awaiting(t.Context(), store, 0)
		elapse(time.Hour)
		_, err = store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
		require.NoError(t, <-waiting)
		require.NoError(t, stop())
		require.Empty(t, alone.ended)
	})
}
