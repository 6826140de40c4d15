package relay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/relay"
)

// TestLateRelay: a relay is paused while a call of Publish is under way, its
// lease runs out, another goes on; then the first wakes up, and neither it nor
// the broker knows what happened.
func TestLateRelay(t *testing.T) {
	for call := 1; call <= 5; call++ {
		t.Run(fmt.Sprintf("paused in call %d", call), func(t *testing.T) {
			w := newWorld()
			w.store.fill(25)
			var saved []checkpoint.Progress
			w.broker.onPublish = once(call, func() {
				w.expire()
				w.store.fill(8)
				require.NoError(t, w.relay("b").RunToEnd(t.Context()))
				require.NoError(t, w.exact())
				saved = w.saved(t)
			})
			late := w.relay("a")
			require.ErrorIs(t, late.RunToEnd(t.Context()), checkpoint.ErrLost, "its save is refused")
			require.Equal(t, saved, w.saved(t), "and changes nothing")
			require.Greater(t, w.broker.count(), 33, "it repeats older records behind newer ones")
			require.NoError(t, w.complete())
			require.NoError(t, w.ordered(), "and leaves no gap")
			require.Zero(t, w.broker.producers())

			w.store.fill(9)
			next := w.relay("b")
			require.NoError(t, next.RunToEnd(t.Context()))
			require.EqualValues(t, 9, next.Status().Published)
			require.Positive(t, next.Status().Repeats)
			require.NoError(t, w.complete())
			require.NoError(t, w.ordered())
			require.NoError(t, w.settled(t.Context()))
			require.Equal(t, int64(42), relay.Confirmed(w.saved(t)))
		})
	}
}

// TestLateRelay_SavesOnTheWay: a relay that has gone on late stops with the
// first checkpoint that is refused.
func TestLateRelay_SavesOnTheWay(t *testing.T) {
	w := newWorld()
	w.store.fill(50)
	w.broker.onPublish = once(3, func() {
		w.expire()
		require.NoError(t, w.relay("b").RunToEnd(t.Context()))
	})
	config := settings("a")
	config.SaveInterval = time.Nanosecond
	late := relay.New(w.store, w.broker, w.checkpoints, config)
	require.ErrorIs(t, late.RunToEnd(t.Context()), checkpoint.ErrLost)
	require.Equal(t, 50+config.PageEvents, w.broker.count(), "the page that was under way, and no other")
	require.NoError(t, w.complete())
	require.NoError(t, w.ordered())
}
