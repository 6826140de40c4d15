package eventstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// clocked is an engine with a clock that is off by skew, and takes latency to
// tell.
type clocked struct {
	*engine
	state atomic.Pointer[clockState]
}

type clockState struct {
	skew, latency time.Duration
	fails         error
	want          string
}

func newClocked(t *testing.T, state clockState) *clocked {
	t.Helper()
	c := &clocked{engine: newEngine(t)}
	c.state.Store(&state)
	return c
}

func (c *clocked) Now(context.Context) (time.Time, error) {
	state := c.state.Load()
	elapse(state.latency / 2)
	now := time.Now().Add(state.skew)
	elapse(state.latency - state.latency/2)
	return now, state.fails
}

// TestClock: while this process's clock is too far off, commits are refused, and
// nothing happens; they are accepted again when it is right. A slow answer, or
// none, accuses nobody.
func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newClocked(t, clockState{skew: 6 * time.Second})
		store := start(t, e, eventstore.Config{})
		_, err := store.Append(t.Context(), opening("a", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.ErrorContains(t, err, "clock is 6s behind the store's")
		require.ErrorIs(t, store.Ready(), eventstore.ErrUnavailable)
		require.Empty(t, e.groups)

		for _, state := range []clockState{
			{skew: 5 * time.Second},
			{skew: -5 * time.Second},
			{skew: -6 * time.Second, want: "6s ahead of"},
			{skew: 0, fails: errors.New("away"), want: "6s ahead of"}, // nothing new is known
			{skew: 8 * time.Second, latency: 4 * time.Second, want: "6s behind"},
			{skew: 6 * time.Second, latency: 4 * time.Second},
		} {
			e.state.Store(&state)
			elapse(20 * time.Second)
			synctest.Wait()
			if state.want == "" {
				require.NoError(t, store.Ready(), "%+v", state)
			} else {
				require.ErrorContains(t, store.Ready(), state.want, "%+v", state)
			}
		}
		_, err = store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
	})
}

// TestClock_Unknown: a store whose time nobody knows is not opened.
func TestClock_Unknown(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	_, err := eventstore.New(t.Context(), newClocked(t, clockState{fails: away}), eventstore.Config{})
	require.ErrorIs(t, err, away)
}
