package relay_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/relay"
)

// awaited counts how often a store is asked for events to come. Used by one relay.
type awaited struct {
	*history
	times int
}

func (a *awaited) Await(ctx context.Context, after int64) error {
	a.times++
	return a.history.Await(ctx, after)
}

// TestRun_OftenIsNotAsked: while events come faster than the pace the store is only
// read; when they come seldom again it is asked, and read once for each.
func TestRun_OftenIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		store := &awaited{history: w.store}
		config := ordinary("r")
		config.SaveInterval, config.CheckInterval = time.Hour, time.Hour // for which waiting is interrupted
		r := run(t, relay.New(store, w.broker, w.checkpoints, config))
		for range 100 {
			<-time.After(3 * time.Millisecond)
			w.store.fill(1)
		}
		<-time.After(time.Second)
		synctest.Wait()
		require.NoError(t, w.exact())
		require.LessOrEqual(t, store.times, 4, "before the first, behind it, and at the end")

		for range 10 {
			before := store.times
			<-time.After(time.Second)
			w.store.fill(1)
			synctest.Wait()
			require.NoError(t, w.exact(), "at once")
			require.Equal(t, before+1, store.times)
		}
		r.stop(t)
	})
}
