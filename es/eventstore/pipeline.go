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
// As long as ctx lasts it also has a Watcher watch, once somebody awaits events.
//
// It is called once. It returns an error only if the engine breaks its
// contract in a way that endangers events.
func (s *Store) Run(ctx context.Context) error {
	defer s.watchBeside(ctx)()
	defer s.clockBeside(ctx)()
	defer s.abandon()
	stopped := context.AfterFunc(ctx, s.queue.close)
	defer stopped()

	work, cancel := drainContext(ctx, s.config.DrainTimeout)
	defer cancel()
	var callers pace
	for range s.queue.filled {
		s.takeTurn(work)
		callers.wait(work, s)
		g, open := s.gather()
		if commits := len(g.open); commits > 0 {
			began := time.Now()
			if err := s.write(work, g); err != nil {
				return err
			}
			callers.wrote(s, commits, began)
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
	first := s.head.get() + 1
	for {
		outcomes, err := s.attempt(ctx, first, g)
		if errors.Is(err, errEngineBroken) {
			s.config.Logger.Error("event store stopped", "error", err)
			s.giveUp(g, true)
			return err
		}
		open, refused, seen := len(g.open), g.refusedInFront(outcomes), seenBy(outcomes)
		written, last := g.apply(outcomes)
		progress := len(g.open) < open
		first = max(first, last+1) // the place of what is left
		s.head.raise(last)
		s.stats.commits.Add(int64(written))
		s.release(g)
		if err == nil && len(g.open) > 0 {
			a.answered(progress, refused)
			first, err = s.renumber(ctx, max(seen, s.head.get()), first, progress, &a)
		}
		if err == nil && len(g.open) > 0 && !a.doubt {
			s.fill(g) // what has come meanwhile goes along: nothing is on its way that it would alter
		}

		switch {
		case len(g.open) == 0:
			a.reached()
			return nil
		case err == nil:
			a.reached()
		default:
			a.note(err)
			if a.patienceEnds() {
				s.down = true // the next group's callers need not wait as long
				g.failAll(fmt.Errorf("%w: %w", ErrUnavailable, err))
				s.release(g)
				return nil
			}
			if a.pause(ctx, err) != nil {
				s.giveUp(g, a.doubt)
				return nil //nolint:nilerr // time is up: the callers have been told
			}
		}
	}
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
// was settled, or after its place was taken. The engine is asked for its head,
// unless a later position than the place was seen already.
func (s *Store) renumber(ctx context.Context, seen, first int64, progress bool, a *attempts) (int64, error) {
	position, err := seen, error(nil)
	if seen < first {
		limited, cancel := context.WithTimeout(ctx, s.config.AttemptTimeout)
		defer cancel()
		position, err = s.engine.Head(limited)
	}
	switch {
	case err != nil:
		return first, fmt.Errorf("%w: read head: %w", ErrNotWritten, err)
	case position >= first:
		a.displaced = true
		s.head.raise(position)
		return position + 1, nil
	case progress:
		return first, nil
	}
	// Neither written nor refused nor displaced: what it collided with is not
	// visible yet.
	if err := a.pause(ctx, nil); err != nil {
		return first, fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	return first, nil
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
	// began is when the engine was last there, or writing began.
	began time.Time
	// doubt: an attempt ended so that it may have arrived, or may yet. From
	// then on no later failure is proof that nothing was written.
	doubt bool
	// displaced: since then the head was seen at the group's place or behind it.
	displaced bool
	failed    int
}

// note takes an attempt's error down.
func (a *attempts) note(err error) {
	if !errors.Is(err, ErrNotWritten) {
		a.doubt, a.displaced = true, false
	}
}

// patienceEnds tells whether it is time, and true, to say that nothing was
// written.
func (a *attempts) patienceEnds() bool {
	return !a.doubt && (a.store.down || time.Since(a.began) >= a.store.config.UnavailableAfter)
}

// answered looks whether an answer ends the doubt. What stands behind a commit
// that was refused in front is settled with it: no earlier attempt can have come
// past that one.
// What stands behind a written one is not: the attempt that has brought the one
// may yet bring the other. And a place that is taken may be taken by ourselves:
// only an answer to an attempt made since then, by an engine that would have
// found us there, tells that it is not.
func (a *attempts) answered(progress, refused bool) {
	if refused || a.displaced && !progress {
		a.doubt = false
	}
	a.displaced = false
}

// reached notes that the engine is there.
func (a *attempts) reached() {
	if a.failed > 0 || a.store.down {
		a.store.config.Logger.Info("event store is back", "attempts", a.failed, "after", time.Since(a.began))
	}
	a.store.down, a.failed, a.began = false, 0, time.Now()
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
