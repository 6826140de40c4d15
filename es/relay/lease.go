package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"passbook/es/checkpoint"
)

// tenure is the time under one lease.
type tenure struct {
	*Relay
	lease checkpoint.Lease
	wait  *backoff
	// at is how far the topic has come: at first what the checkpoint says (nil
	// without one), then what was found and published. It outlives a lap, so
	// that after an error only the last few records are read again.
	at *progress
	// dirty: at is not what was saved last. savedAt is when that was tried.
	dirty   bool
	savedAt time.Time

	mu    sync.Mutex
	until time.Time
}

// finishTimeout is for how long a relay that stops saves its checkpoint and
// gives its lease back.
const finishTimeout = 2 * time.Second

// hold acquires the lease and does something under it. The context of that ends
// when the lease is lost.
func (r *Relay) hold(ctx context.Context, wait *backoff, do func(context.Context, *tenure) error) error {
	began := time.Now()
	lease, err := r.checkpoints.Acquire(ctx, r.config.Name, r.config.Holder, r.config.LeaseDuration)
	if err != nil {
		return fmt.Errorf("acquire lease %s: %w", r.config.Name, err)
	}
	t := &tenure{Relay: r, lease: lease, wait: wait, until: began.Add(r.config.LeaseDuration)}
	r.status.begin(lease)

	under, end := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { t.keep(under, end) })
	if err = t.load(under); err == nil {
		err = do(under, t)
	}
	if under.Err() != nil {
		err = context.Cause(under) // which tells more than that a context ended
	}
	end(errDone)
	keeper.Wait()
	// What went wrong before is the better answer: a lease that is not given
	// back runs out, a checkpoint that is not saved is found by reading.
	if finished := t.finish(ctx); err == nil {
		err = finished
	}
	return err
}

// untilLost publishes until the lease is lost or ctx ends, and returns why.
func (t *tenure) untilLost(ctx context.Context) error {
	for {
		err := t.lap(ctx, func(ctx context.Context, l *lap) error { return l.forever(ctx) })
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, checkpoint.ErrLost), errors.Is(err, errLeaseOver):
			return err
		}
		t.status.trouble(err, t.config.Logger)
		t.wait.pause(ctx, err)
	}
}

// keep renews the lease until ctx ends, and ends it when the lease is lost. A
// lease that could not be renewed in time is taken for lost: another may have
// it, and who cannot ask must not go on.
func (t *tenure) keep(ctx context.Context, lose context.CancelCauseFunc) {
	next := t.config.LeaseDuration / 3
	for {
		pause(ctx, next)
		if ctx.Err() != nil {
			return
		}
		err := t.renew(ctx)
		switch {
		case err == nil:
			next = t.config.LeaseDuration / 3
		case errors.Is(err, checkpoint.ErrLost):
			lose(fmt.Errorf("renew lease %s: %w", t.lease.Name, err))
			return
		case !t.valid():
			lose(fmt.Errorf("%w: %w", errLeaseOver, err))
			return
		default:
			next = t.config.LeaseDuration / 10
		}
	}
}

// renew asks once. An answer that comes after the lease's end is of no use.
func (t *tenure) renew(ctx context.Context) error {
	t.mu.Lock()
	until := t.until
	t.mu.Unlock()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()

	// Counted from before the call: the database's clock starts later.
	began := time.Now()
	if err := t.checkpoints.Renew(ctx, t.lease, t.config.LeaseDuration); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = began.Add(t.config.LeaseDuration)
	return nil
}

// valid tells whether nobody else can have the lease, unless it was stolen.
func (t *tenure) valid() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Before(t.until)
}

// finish saves the checkpoint and gives the lease back, also when ctx has ended.
func (t *tenure) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	saved := t.save(ctx)
	if err := t.checkpoints.Release(ctx, t.lease); err != nil && saved == nil {
		return fmt.Errorf("release lease %s: %w", t.lease.Name, err)
	}
	return saved
}
