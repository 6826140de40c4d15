package checkpointtest_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"passbook/es/checkpoint"
)

// shelf is progress kept without the care of the store beside it.
type shelf struct {
	mu       sync.Mutex
	progress map[string][]checkpoint.Progress
}

func (s *shelf) put(name string, p []checkpoint.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.progress == nil {
		s.progress = make(map[string][]checkpoint.Progress)
	}
	s.progress[name] = slices.Clone(p)
}

func (s *shelf) load(ctx context.Context, name string) ([]checkpoint.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.progress[name]), ctx.Err()
}

func savesUnfenced(sound checkpoint.Store) checkpoint.Store {
	kept := &shelf{}
	return broken{Store: sound, load: kept.load, save: func(
		_ context.Context, l checkpoint.Lease, p []checkpoint.Progress,
	) error {
		kept.put(l.Name, p)
		return nil
	}}
}

// refusesTooLate saves first and looks at the fence then.
func refusesTooLate(sound checkpoint.Store) checkpoint.Store {
	kept := &shelf{}
	return broken{Store: sound, load: kept.load, save: func(
		ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress,
	) error {
		kept.put(l.Name, p)
		return sound.Save(ctx, l, p)
	}}
}

// checkThenSave looks at the fence and saves, and anybody may come between: the
// first that comes is held up until another has saved, and that one returns
// when the first has. The rest wait until both have looked at what is
// there now.
func checkThenSave(sound checkpoint.Store) checkpoint.Store {
	kept := &shelf{}
	var saves, loads atomic.Int32
	secondSaved, firstSaved, loaded := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b := broken{Store: sound}
	b.load = func(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
		progress, err := kept.load(ctx, reader)
		if loads.Add(1) == 2 {
			close(loaded)
		}
		return progress, err
	}
	b.save = func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
		if err := sound.Save(ctx, l, nil); err != nil {
			return err
		}
		n := saves.Add(1)
		switch {
		case n == 1:
			wait(ctx, secondSaved)
		case n > 2:
			wait(ctx, loaded)
		}
		kept.put(l.Name, p)
		switch n {
		case 1:
			close(firstSaved)
		case 2:
			close(secondSaved)
			wait(ctx, firstSaved)
		}
		return nil
	}
	return b
}

// checkThenGive sees that nobody has the lease, and gives it away later: two
// have looked before one of them gets it.
func checkThenGive(sound checkpoint.Store) checkpoint.Store {
	var looks atomic.Int32
	both := make(chan struct{})
	return broken{Store: sound, acquire: func(
		ctx context.Context, name, holder string, d time.Duration,
	) (checkpoint.Lease, error) {
		switch looks.Add(1) {
		case 1:
			wait(ctx, both)
		case 2:
			close(both)
		default:
			return checkpoint.Lease{}, checkpoint.ErrHeld
		}
		lease, err := sound.Acquire(ctx, name, "either", d)
		lease.Holder = holder
		return lease, err
	}}
}

func wait(ctx context.Context, signal <-chan struct{}) {
	select {
	case <-signal:
	case <-ctx.Done():
	}
}

// oneByOne writes a partition at a time, and is looked at in between.
func oneByOne(sound checkpoint.Store) checkpoint.Store {
	looks := make(chan struct{})
	var once sync.Once
	b := broken{Store: sound}
	b.load = func(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
		select {
		case looks <- struct{}{}:
		default:
		}
		return sound.Load(ctx, reader)
	}
	b.save = func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
		for n := range p {
			if err := sound.Save(ctx, l, p[:n+1]); err != nil {
				return err
			}
			if n+1 < len(p) {
				once.Do(func() { wait(ctx, looks) })
			}
		}
		return nil
	}
	return b
}
