package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errEngineBroken: the engine did what its contract forbids. Nothing that this
// process does next could mend it.
var errEngineBroken = errors.New("engine broke its contract")

// Run writes what is submitted, one group at a time, until ctx ends; then it
// refuses new commits, writes those that were accepted, for DrainTimeout at
// most, and returns nil. Callers of commits whose fate is still open by then
// get ErrOutcomeUnknown.
//
// It is called once. It returns an error only if the engine breaks its
// contract in a way that endangers events.
func (s *Store) Run(ctx context.Context) error {
	defer s.abandon()
	stopped := context.AfterFunc(ctx, s.queue.close)
	defer stopped()

	work, cancel := drainContext(ctx, s.config.DrainTimeout)
	defer cancel()
	for range s.queue.filled {
		g, open := s.gather()
		if len(g.open) > 0 {
			if err := s.write(work, g); err != nil {
				return err
			}
		}
		if !open || work.Err() != nil {
			return nil
		}
	}
	return nil
}

// drainContext ends a while after ctx does.
func drainContext(ctx context.Context, extra time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(extra, cancel)
		context.AfterFunc(work, func() { timer.Stop() })
	})
	return work, func() { stop(); cancel() }
}

// abandon answers those whom nobody will write for any more.
func (s *Store) abandon() {
	s.queue.close()
	for _, p := range s.queue.remove(func(*Pending) bool { return true }) {
		p.settle(fmt.Errorf("stream %s: %w: the store was stopped", p.commit.Stream, ErrUnavailable))
	}
}

// write sees a group through: until it is known of every commit whether it is
// durable. What makes this long is the one rule that seeing nothing proves
// nothing: an attempt that ended in doubt may still arrive, so the same
// commits go to the same positions again until the place is settled.
func (s *Store) write(ctx context.Context, g *group) error {
	a := attempts{began: time.Now(), store: s}
	known, _ := s.head.get()
	first := known + 1
	for len(g.open) > 0 {
		outcomes, err := s.attempt(ctx, first, g)
		if errors.Is(err, errEngineBroken) {
			s.config.Logger.Error("event store stopped", "error", err)
			s.giveUp(g, true)
			return err
		}
		open := len(g.open)
		written, last := g.apply(outcomes)
		refused := len(g.failed) > 0
		first = max(first, last+1) // the place of what is left
		s.head.raise(last)
		s.stats.commits.Add(int64(written))
		s.release(g)

		switch {
		case len(g.open) == 0:
			a.reached(true, true)
			return nil
		case err == nil:
			a.reached(len(g.open) < open, refused)
			if first, err = s.renumber(ctx, first, &a); err != nil {
				s.giveUp(g, a.doubt)
				return nil //nolint:nilerr // the engine is out of reach and time is up: the callers know
			}
		case a.unavailable(err):
			g.failAll(fmt.Errorf("%w: %w", ErrUnavailable, err))
			s.release(g)
			return nil
		default:
			if a.pause(ctx, err) != nil {
				s.giveUp(g, a.doubt)
				return nil
			}
		}
	}
	return nil
}

// attempt asks the engine once. The deadline is its own, so that no caller's
// impatience turns a write into a doubtful one.
func (s *Store) attempt(ctx context.Context, first int64, g *group) ([]Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.AttemptTimeout)
	defer cancel()
	commits := g.commits()
	s.stats.groups.Add(1)
	outcomes, err := s.engine.Append(ctx, first, commits)
	if err != nil && len(outcomes) == 0 {
		return make([]Outcome, len(commits)), err
	}
	if fault := checkOutcomes(outcomes, commits); fault != nil {
		return nil, fmt.Errorf("%w: %w", errEngineBroken, fault)
	}
	return outcomes, err
}

// renumber finds the place for what is left of a group after a commit of it
// was refused, or after other processes took its positions.
func (s *Store) renumber(ctx context.Context, first int64, a *attempts) (int64, error) {
	for {
		position, err := s.engine.Head(ctx)
		switch {
		case err == nil && position >= first:
			a.doubt = false // the place is taken: nothing of ours can arrive there
			s.head.raise(position)
			return position + 1, nil
		case err == nil && a.progress:
			return first, nil
		case err == nil:
			// Neither written nor refused nor displaced: what it collided with
			// is not visible yet.
			return first, a.pause(ctx, nil)
		}
		if err := a.pause(ctx, err); err != nil {
			return 0, err
		}
	}
}

// giveUp leaves a group behind when the store stops. After a doubtful attempt
// nobody here will learn its fate.
func (s *Store) giveUp(g *group, doubt bool) {
	err := ErrUnavailable
	if doubt {
		err = ErrOutcomeUnknown
	}
	g.failAll(fmt.Errorf("%w: the store was stopped", err))
	s.release(g)
}

// attempts is the patience with which one group is written.
type attempts struct {
	store *Store
	began time.Time
	// doubt: an attempt ended so that it may have arrived, or may yet. From
	// then on no later failure is proof that nothing was written.
	doubt bool
	// progress: the last answer decided the fate of a commit.
	progress bool
	failed   int
}

// unavailable tells whether it is time, and true, to say that nothing was
// written.
func (a *attempts) unavailable(err error) bool {
	if !errors.Is(err, ErrNotWritten) {
		a.doubt = true
	}
	if a.doubt || !a.store.down && time.Since(a.began) < a.store.config.UnavailableAfter {
		return false
	}
	a.store.down = true // the next group's callers need not wait as long
	return true
}

// reached notes that the engine answered. What stands behind a refused commit
// is settled with it: no earlier attempt can have come past that one. What only
// stands behind a written one is not: a doubtful attempt that has brought the
// one may yet bring the other.
func (a *attempts) reached(progress, refused bool) {
	if a.failed > 0 || a.store.down {
		a.store.config.Logger.Info("event store is back", "attempts", a.failed, "after", time.Since(a.began))
	}
	a.store.down, a.failed, a.progress = false, 0, progress
	if refused {
		a.doubt = false
	}
}

const (
	pauseMin = 5 * time.Millisecond
	pauseMax = 320 * time.Millisecond
)

// pause waits before the next attempt, longer each time.
func (a *attempts) pause(ctx context.Context, err error) error {
	if err != nil {
		if a.failed == 0 {
			a.store.config.Logger.Warn("event store lost", "error", err)
		}
		a.failed++
		a.store.stats.failures.Add(1)
	}
	timer := time.NewTimer(min(pauseMin<<min(a.failed, 10), pauseMax))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
