package projection

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Pauses between sweeps that an engine's error has ended.
const (
	sweepPauseMin = 100 * time.Millisecond
	sweepPauseMax = 30 * time.Second
)

// parkedPage is how many parked streams a sweep looks up at once.
const parkedPage = 200

// Redrive tries a parked stream again and reports whether it flows now; if not,
// ParkedStream says what is in the way. What could be applied is applied, in
// transactions of Config.DrainMax events each. It returns ErrNotParked for a
// stream that flows already, or the engine's error.
//
// It may be called beside Run, and in any process: a batch and a redrive of the
// same stream wait for each other.
func (p *Projection[Tx]) Redrive(ctx context.Context, stream string) (flows bool, err error) {
	for {
		var still bool
		done, err := p.transact(ctx, func(tx Tx, a *attempt[Tx]) error {
			parked, discarded, err := p.store.LockParked(ctx, tx, p.name, []string{stream})
			if err != nil {
				return err
			}
			if _, still = parked[stream]; !still {
				return ErrNotParked
			}
			return a.drain(ctx, tx, stream, discarded)
		})
		switch {
		case err != nil:
			return false, fmt.Errorf("projection %s: redrive stream %s: %w", p.name, stream, err)
		case !done.more:
			return len(done.parked) == 0, nil
		}
	}
}

// RedriveAll tries every parked stream again, one after the other, and returns
// how many of them flow now. It ends at the first error of the engine.
func (p *Projection[Tx]) RedriveAll(ctx context.Context) (flowing int, err error) {
	for after := ""; ; {
		page, err := p.Parked(ctx, after, parkedPage)
		if err != nil || len(page) == 0 {
			return flowing, err
		}
		for _, parked := range page {
			flows, err := p.Redrive(ctx, parked.Stream)
			switch {
			case errors.Is(err, ErrNotParked): // somebody else was faster
			case err != nil:
				return flowing, err
			case flows:
				flowing++
			}
		}
		after = page[len(page)-1].Stream
	}
}

// requestSweep has all parked streams tried again soon, where Run is running.
func (p *Projection[Tx]) requestSweep() {
	select {
	case p.sweep <- struct{}{}:
	default:
	}
}

// sweepLoop runs a sweep for each request, and one that failed again after a
// pause that grows.
func (p *Projection[Tx]) sweepLoop(ctx context.Context) {
	pause := time.Duration(0)
	for {
		var again <-chan time.Time
		if pause > 0 {
			again = time.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.sweep:
		case <-again:
		}
		_, err := p.RedriveAll(ctx)
		if ctx.Err() != nil {
			return
		}
		p.showSweep(err)
		if err == nil {
			pause = 0
			continue
		}
		pause = min(max(2*pause, sweepPauseMin), sweepPauseMax)
	}
}
