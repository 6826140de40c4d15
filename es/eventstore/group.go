package eventstore

import (
	"errors"
	"fmt"
	"slices"
)

// group is what the writer has taken in hand: the commits whose fate is open,
// in order.
type group struct {
	open []*Pending
	// failed are the commits of which it is known that they are not written,
	// and whose callers have not been told yet.
	failed []failure
	// lost names the streams of those. Every later commit of such a stream was
	// decided on a state that will never be. Its expected version may fit by
	// chance all the same: another process took version 8, we lose, and our 9,
	// decided on our own 8, would follow theirs.
	lost map[string]bool
	// lostCommits are the same, for those that were decided on one of them in
	// another stream.
	lostCommits map[*Pending]bool
}

type failure struct {
	pending *Pending
	err     error
}

// gather takes from the queue what can be written at once, and tells whether there
// can be more.
func (s *Store) gather() (*group, bool) {
	g := &group{lost: make(map[string]bool), lostCommits: make(map[*Pending]bool)}
	return g, s.fill(g)
}

// fill adds to a group what waits and has room in it.
func (s *Store) fill(g *group) (open bool) {
	room := newRoom(&s.config, g.open)
	taken, open := s.queue.take(room.admits)
	for _, p := range taken {
		if p.after != nil && p.after.lost() {
			// It came too late to be swept out with what it was decided on.
			cause := ErrPredecessorLost
			if errors.Is(p.after.err, ErrUnavailable) {
				cause = ErrUnavailable
			}
			p.settle(fmt.Errorf("stream %s: %w", p.commit.Stream, cause))
			continue
		}
		g.open = append(g.open, p)
	}
	return open
}

// apply settles the commits that are durable, sets aside those that are
// refused, and keeps open what the outcomes leave open. It returns how many
// became durable, and the last of their positions.
func (g *group) apply(outcomes []Outcome) (written int, last int64) {
	var open []*Pending
	for i, p := range g.open {
		c := &p.commit
		switch o := outcomes[i]; {
		case o.State == Written:
			p.succeed(o.Position)
			written++
			last = max(last, p.receipt.Position)
		case g.lost[c.Stream] || g.lostCommits[p.after]:
			g.fail(p, fmt.Errorf("stream %s: %w", c.Stream, ErrPredecessorLost))
		case o.State == Conflict:
			g.fail(p, &ConflictError{Stream: c.Stream, Expected: c.Expected, Actual: o.Actual})
		case o.State == KeyTaken:
			g.fail(p, &KeyTakenError{Prior: o.Prior})
		case o.State == Rejected:
			g.fail(p, fmt.Errorf("stream %s: %w: %s", c.Stream, ErrInvalid, o.Reason))
		default:
			open = append(open, p)
		}
	}
	g.open = open
	return written, last
}

// refusedInFront tells whether the first commit that was not written was
// refused. A refusal further behind proves nothing of what stands before it,
// and neither does that of a commit without events, which leaves no trace.
func (g *group) refusedInFront(outcomes []Outcome) bool {
	for i, o := range outcomes {
		if o.State != Written {
			return o.State != NotTried && len(g.open[i].commit.Events) > 0
		}
	}
	return false
}

// seenBy returns the last position that the engine has seen while it answered, as
// far as it tells.
func seenBy(outcomes []Outcome) int64 {
	for _, o := range outcomes {
		if o.State == NotTried {
			return o.Seen
		}
	}
	return 0
}

func (g *group) fail(p *Pending, err error) {
	g.failed = append(g.failed, failure{p, err})
	g.lost[p.commit.Stream] = true
	g.lostCommits[p] = true
}

// failAll sets aside everything that is open.
func (g *group) failAll(err error) {
	for _, p := range g.open {
		g.fail(p, fmt.Errorf("stream %s: %w", p.commit.Stream, err))
	}
	g.open = nil
}

// release tells the callers of failed commits, after it has swept out of the
// queue what waits behind them. In this order, because a caller that has been
// told decides again and submits to the same queue.
func (s *Store) release(g *group) {
	if len(g.failed) == 0 {
		return
	}
	swept := s.queue.remove(func(p *Pending) bool { return g.lost[p.commit.Stream] })
	cause := ErrPredecessorLost
	if errors.Is(g.failed[0].err, ErrUnavailable) { // then all of them are: to decide again would be in vain
		cause = ErrUnavailable
	}
	// The last first: whoever hears of a loss finds what was decided on top of
	// it lost too, and does not decide on that once more.
	for _, p := range slices.Backward(swept) {
		p.settle(fmt.Errorf("stream %s: %w", p.commit.Stream, cause))
	}
	for _, f := range slices.Backward(g.failed) {
		f.pending.settle(f.err)
	}
	g.failed = nil
	clear(g.lost)
	clear(g.lostCommits)
}

func (g *group) commits() []Commit {
	commits := make([]Commit, len(g.open))
	for i, p := range g.open {
		commits[i] = p.commit
	}
	return commits
}

// checkOutcomes holds an engine to its contract where a breach would cost
// events: the answers are as many as the questions, and those written stand at
// the front.
func checkOutcomes(outcomes []Outcome, commits []Commit) error {
	if len(outcomes) != len(commits) {
		return fmt.Errorf("engine answered %d outcomes for %d commits", len(outcomes), len(commits))
	}
	for i := 1; i < len(outcomes); i++ {
		if outcomes[i].State == Written && outcomes[i-1].State != Written {
			return errors.New("engine wrote a commit behind one that it did not write")
		}
	}
	return nil
}
