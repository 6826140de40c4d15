package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Plan says how much load there is to be.
type Plan struct {
	// Workers is how many operations are under way at most.
	Workers int
	// Duration is for how long operations begin. Those that have begun are
	// finished, and count.
	Duration time.Duration
	// Rate is how many operations a second begin. 0: as many as workers can do,
	// each beginning the next when it has finished one.
	//
	// With a rate each operation has a moment at which it should begin, and its
	// latency counts from there: if nothing is answered for a while, all who
	// would have come meanwhile have waited too. Without one, latency is that of
	// a caller who waits for the answer before asking again.
	Rate float64
}

// Drive runs do on plan's workers, numbered from 0, and returns what came of it.
// The first error, or the end of ctx, ends all workers.
func Drive(ctx context.Context, plan Plan, do func(ctx context.Context, worker int) error) (Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := &drive{plan: plan, began: time.Now(), latency: NewLatency()}
	var workers sync.WaitGroup
	for worker := range plan.Workers {
		workers.Go(func() {
			if err := d.work(ctx, worker, do); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return Outcome{}, err
	}
	return Outcome{Done: d.done.Load(), Elapsed: time.Since(d.began), Latency: d.latency}, nil
}

type drive struct {
	plan    Plan
	began   time.Time
	begun   atomic.Int64 // operations that have a moment to begin at
	done    atomic.Int64
	latency *Latency
}

func (d *drive) work(ctx context.Context, worker int, do func(ctx context.Context, worker int) error) error {
	for ctx.Err() == nil {
		due, more := d.next()
		if !more {
			return nil
		}
		if err := until(ctx, due); err != nil {
			return err
		}
		if err := do(ctx, worker); err != nil {
			return err
		}
		d.latency.Record(worker, time.Since(due))
		d.done.Add(1)
	}
	return context.Cause(ctx)
}

// next returns when the next operation is to begin.
func (d *drive) next() (due time.Time, more bool) {
	due = time.Now()
	if d.plan.Rate > 0 {
		due = d.began.Add(time.Duration(float64(d.begun.Add(1)-1) / d.plan.Rate * float64(time.Second)))
	}
	return due, due.Sub(d.began) < d.plan.Duration
}

// until waits for a moment.
func until(ctx context.Context, due time.Time) error {
	wait := time.Until(due)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
