package eventstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Clock is an engine whose store has a clock of its own, which its processes are
// held to. It is no part of Engine: a store on this machine has this machine's.
type Clock interface {
	// Now returns the store's time.
	Now(ctx context.Context) (time.Time, error)
}

const (
	// clockSkewMax is how far a process's clock may be off the store's. An
	// event's time is never before that of the one before it in its stream, so
	// one process that is far ahead would push the times of all that follow.
	clockSkewMax  = 5 * time.Second
	clockInterval = 10 * time.Second
	clockPatience = 5 * time.Second
)

// clock knows how far this process's clock is off the store's.
type clock struct {
	// skew is how far at least it was off when last looked at: positive if it is
	// ahead. What cannot be said any more, since the store does not answer, stays.
	skew atomic.Int64
}

// fault refuses commits while the clock is too far off.
func (c *clock) fault() error {
	skew := time.Duration(c.skew.Load())
	if skew.Abs() <= clockSkewMax {
		return nil
	}
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	return fmt.Errorf("%w: this process's clock is %s %s the store's, and %s is the most: set the clock",
		ErrUnavailable, skew.Abs().Round(time.Millisecond), direction, clockSkewMax)
}

// look compares the two. An answer is as of some moment between question and
// answer, so only what is outside of both tells of a difference: a slow network
// makes no clock wrong.
func (c *clock) look(ctx context.Context, of Clock) error {
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	asked := time.Now()
	there, err := of.Now(ctx)
	if err != nil {
		return err
	}
	took := time.Since(asked) // by the steady clock
	answered := asked.Add(took)
	switch {
	case there.Before(asked):
		c.skew.Store(int64(asked.Sub(there)))
	case there.After(answered):
		c.skew.Store(int64(answered.Sub(there)))
	default:
		c.skew.Store(0)
	}
	return nil
}

// Ready returns why no commit is accepted at this moment, whatever it holds; nil
// if nothing is known to stand in the way. It asks nobody.
func (s *Store) Ready() error { return s.clock.fault() }

// clockBeside compares the clocks from time to time, where the store has one; see
// beside.
func (s *Store) clockBeside(ctx context.Context) (stop func()) {
	of, has := s.engine.(Clock)
	if !has {
		return func() {}
	}
	return beside(ctx, func(ctx context.Context) { s.watchClock(ctx, of) })
}

func (s *Store) watchClock(ctx context.Context, of Clock) {
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		before := s.clock.fault()
		if err := s.clock.look(ctx, of); err != nil {
			continue // the engine's state is others' to tell; the next look may do
		}
		switch after := s.clock.fault(); {
		case before == nil && after != nil:
			s.config.Logger.Error("commits are refused", "error", after)
		case before != nil && after == nil:
			s.config.Logger.Info("commits are accepted again: the clock is right")
		}
	}
}
