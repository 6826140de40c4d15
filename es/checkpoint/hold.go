package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// releaseTimeout is for how long a lease that is not needed any more is tried to
// be given back; otherwise it runs out.
const releaseTimeout = 2 * time.Second

// Hold does something under a lease, which it renews three times in its
// duration and gives back at the end. The context of do ends when the lease is
// lost, or may be: one that could not be renewed in time counts as lost, for
// another may have it. Then the error holds ErrLost.
//
// It returns ErrHeld, without calling do, while another has the lease; otherwise
// what do returned, or why the lease was lost.
func Hold(
	ctx context.Context, store Store, name, holder string, duration time.Duration,
	do func(ctx context.Context, lease Lease) error,
) error {
	acquired := time.Now() // before the call: the database's clock starts later
	lease, err := store.Acquire(ctx, name, holder, duration)
	if err != nil {
		return fmt.Errorf("acquire lease %s: %w", name, err)
	}
	under, lose := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { keep(under, store, lease, duration, acquired, lose) })
	err = do(under, lease)
	if under.Err() != nil && ctx.Err() == nil {
		err = context.Cause(under) // it says more than that a context ended
	}
	lose(nil)
	keeper.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if released := store.Release(ctx, lease); err == nil && released != nil {
		return fmt.Errorf("release lease %s: %w", name, released)
	}
	return err
}

// keep renews a lease until ctx ends or the lease is lost.
func keep(ctx context.Context, store Store, lease Lease, duration time.Duration, since time.Time, lose context.CancelCauseFunc) {
	for pause := duration / 3; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		began := time.Now()
		err := renew(ctx, store, lease, duration, since.Add(duration))
		switch {
		case err == nil:
			since, pause = began, duration/3
		case errors.Is(err, ErrLost):
			lose(fmt.Errorf("renew lease %s: %w", lease.Name, err))
			return
		case !time.Now().Before(since.Add(duration)):
			lose(fmt.Errorf("%w: it could not be renewed in time: %w", ErrLost, err))
			return
		default:
			pause = duration / 10
		}
	}
}

// renew asks once. An answer that comes after the lease's end is of no use.
func renew(ctx context.Context, store Store, lease Lease, duration time.Duration, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return store.Renew(ctx, lease, duration)
}
