package queryapi

import (
	"context"
	"sync"
	"time"

	"passbook/es/projection"
)

// Commits tells when there may be something new: the channel is closed after the
// next commit to the read DB, as far as that is noticed. A *readmodel.Commits is
// one.
type Commits interface{ Next() <-chan struct{} }

// How often those who wait for a position look, beside the commits that are
// noticed, and how many may wait.
const (
	frontierPoll = 50 * time.Millisecond
	waitersMax   = 10_000
)

// frontier knows up to which position everything was dealt with. It looks only
// while somebody asks, and goes on from where it was. However many wait, one of
// them looks, and tells the others.
type frontier struct {
	// find looks on from a position, and returns how far it came, also with an
	// error.
	find    func(ctx context.Context, after int64) (reached int64, err error)
	commits Commits // nil: nothing is noticed
	limit   int

	// turn holds one element while somebody looks, lead while one waits on
	// behalf of all.
	turn, lead chan struct{}

	mu      sync.Mutex
	reached int64
	waiting int
	grown   chan struct{} // closed when reached grows
}

func newFrontier(find func(context.Context, int64) (int64, error), commits Commits) *frontier {
	return &frontier{
		find: find, commits: commits, limit: waitersMax,
		turn: make(chan struct{}, 1), lead: make(chan struct{}, 1), grown: make(chan struct{}),
	}
}

// look returns the position reached now, or any from wanted on that is known.
func (f *frontier) look(ctx context.Context, wanted int64) (reached int64, err error) {
	if reached, _ = f.state(); reached >= wanted {
		return reached, nil
	}
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return reached, ctx.Err()
	}
	defer func() { <-f.turn }()
	if reached, _ = f.state(); reached >= wanted {
		return reached, nil
	}
	found, err := f.find(ctx, reached)
	f.mu.Lock()
	defer f.mu.Unlock()
	if found > f.reached { // also where the look was not finished
		f.reached = found
		close(f.grown)
		f.grown = make(chan struct{})
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return f.reached, err
}

func (f *frontier) state() (reached int64, grown <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reached, f.grown
}

// await waits for a position. When ctx ends first, it returns the one reached by
// then with the error of ctx. Other errors: projection.ErrTooManyWaiters, and
// those of the read DB.
func (f *frontier) await(ctx context.Context, wanted int64) (reached int64, err error) {
	if !f.enter() {
		reached, _ = f.state()
		return reached, projection.ErrTooManyWaiters
	}
	defer f.leave()
	for {
		reached, grown := f.state()
		if reached >= wanted {
			return reached, nil
		}
		select {
		case f.lead <- struct{}{}:
			defer func() { <-f.lead }()
			return f.follow(ctx, wanted)
		case <-grown:
		case <-ctx.Done():
			return reached, ctx.Err()
		}
	}
}

// follow looks again and again. Whoever does it when its own position is reached
// leaves it to another.
func (f *frontier) follow(ctx context.Context, wanted int64) (reached int64, err error) {
	poll := time.NewTicker(frontierPoll)
	defer poll.Stop()
	for {
		var committed <-chan struct{}
		if f.commits != nil {
			committed = f.commits.Next() // known before the look, so nothing slips between the two
		}
		if reached, err = f.look(ctx, wanted); err != nil || reached >= wanted {
			return reached, err
		}
		select {
		case <-committed:
		case <-poll.C:
		case <-ctx.Done():
			return reached, ctx.Err()
		}
	}
}

func (f *frontier) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting >= f.limit {
		return false
	}
	f.waiting++
	return true
}

func (f *frontier) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting--
}
