package checkpoint_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/checkpoint"
)

const duration = 9 * time.Second

// failing is a store whose Renew fails with err until it is mended.
type failing struct {
	checkpoint.Store
	err     error
	mended  atomic.Bool
	renewed atomic.Int64
}

func (f *failing) Renew(ctx context.Context, lease checkpoint.Lease, d time.Duration) error {
	f.renewed.Add(1)
	if f.err != nil && !f.mended.Load() {
		return f.err
	}
	return f.Store.Renew(ctx, lease, d)
}

func TestHold_RenewsAndReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Store: memory.NewCheckpoints()}
		done := errors.New("what do returned")
		err := checkpoint.Hold(t.Context(), store, "r", "one", duration, func(ctx context.Context, lease checkpoint.Lease) error {
			require.Equal(t, int64(1), lease.Fence)
			<-time.After(5*duration + time.Second)
			require.NoError(t, ctx.Err())
			require.ErrorIs(t, checkpoint.Hold(ctx, store, "r", "two", duration, nil), checkpoint.ErrHeld)
			return done
		})
		require.Equal(t, done, err)
		require.Equal(t, int64(15), store.renewed.Load())
		require.NoError(t, checkpoint.Hold(t.Context(), store, "r", "two", duration,
			func(context.Context, checkpoint.Lease) error { return nil }), "the lease was not given back")
	})
}

func TestHold_Lost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Store: memory.NewCheckpoints()}
		err := checkpoint.Hold(t.Context(), store, "r", "one", duration, func(ctx context.Context, lease checkpoint.Lease) error {
			require.NoError(t, store.Release(ctx, lease)) // as if its time had run out
			_, err := store.Acquire(ctx, "r", "two", duration)
			require.NoError(t, err)
			<-ctx.Done()
			return ctx.Err()
		})
		require.ErrorIs(t, err, checkpoint.ErrLost)
	})
}

// A database that does not answer: until the lease's time is up it is ours.
func TestHold_CannotRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unreachable := errors.New("no answer")
		store := &failing{Store: memory.NewCheckpoints(), err: unreachable}
		began := time.Now()
		err := checkpoint.Hold(t.Context(), store, "r", "one", duration, func(ctx context.Context, _ checkpoint.Lease) error {
			<-ctx.Done()
			return ctx.Err()
		})
		require.ErrorIs(t, err, checkpoint.ErrLost)
		require.ErrorIs(t, err, unreachable)
		require.GreaterOrEqual(t, time.Since(began), duration)
		require.Less(t, time.Since(began), duration+duration/10)

		mended := &failing{Store: memory.NewCheckpoints(), err: unreachable}
		require.NoError(t, checkpoint.Hold(t.Context(), mended, "r", "one", duration, func(ctx context.Context, _ checkpoint.Lease) error {
			<-time.After(duration / 2)
			mended.mended.Store(true)
			<-time.After(10 * duration)
			return ctx.Err()
		}))
	})
}

func TestHold_CallerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.NewCheckpoints()
		ctx, stop := context.WithCancel(t.Context())
		err := checkpoint.Hold(ctx, store, "r", "one", duration, func(ctx context.Context, _ checkpoint.Lease) error {
			stop()
			<-ctx.Done()
			return ctx.Err()
		})
		require.ErrorIs(t, err, context.Canceled)
		_, err = store.Acquire(t.Context(), "r", "two", duration)
		require.NoError(t, err, "the lease was not given back")
	})
}
