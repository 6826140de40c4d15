package checkpointtest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"passbook/es/checkpoint"
)

func everybodyGetsIt(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, acquire: func(
		ctx context.Context, name, _ string, d time.Duration,
	) (checkpoint.Lease, error) {
		return sound.Acquire(ctx, name, "everybody", d)
	}}
}

func oneLease(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, acquire: func(
		ctx context.Context, _, holder string, d time.Duration,
	) (checkpoint.Lease, error) {
		return sound.Acquire(ctx, "relay", holder, d)
	}}
}

func notAgain(sound checkpoint.Store) checkpoint.Store {
	b := broken{Store: sound}
	held := make(map[string]bool)
	b.acquire = func(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error) {
		if held[name] {
			return checkpoint.Lease{}, checkpoint.ErrHeld
		}
		held[name] = true
		return sound.Acquire(ctx, name, holder, d)
	}
	return b
}

func sameFence(sound checkpoint.Store) checkpoint.Store {
	b := broken{Store: sound}
	var mu sync.Mutex
	given := make(map[string]checkpoint.Lease)
	b.acquire = func(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error) {
		mu.Lock()
		defer mu.Unlock()
		if lease, ok := given[name+holder]; ok {
			return lease, sound.Renew(ctx, lease, d)
		}
		lease, err := sound.Acquire(ctx, name, holder, d)
		given[name+holder] = lease
		return lease, err
	}
	return b
}

func keepsIt(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, release: func(ctx context.Context, _ checkpoint.Lease) error { return ctx.Err() }}
}

// givesBackAny gives back the lease that is good, whoever asks.
func givesBackAny(sound checkpoint.Store) checkpoint.Store {
	b := broken{Store: sound}
	var last checkpoint.Lease
	b.acquire = func(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error) {
		lease, err := sound.Acquire(ctx, name, holder, d)
		if err == nil {
			last = lease
		}
		return lease, err
	}
	b.release = func(ctx context.Context, _ checkpoint.Lease) error { return sound.Release(ctx, last) }
	return b
}

func renewsAny(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, renew: func(ctx context.Context, _ checkpoint.Lease, _ time.Duration) error {
		return ctx.Err()
	}}
}

func renewsNothing(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, renew: func(ctx context.Context, l checkpoint.Lease, _ time.Duration) error {
		return sound.Save(ctx, l, nil) // the right error, and the time stays
	}}
}

func onlyProlongs(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, renew: func(ctx context.Context, l checkpoint.Lease, d time.Duration) error {
		return sound.Renew(ctx, l, max(d, time.Hour))
	}}
}

func lastsForever(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, acquire: func(
		ctx context.Context, name, holder string, d time.Duration,
	) (checkpoint.Lease, error) {
		if name != "clock" { // by which the cases tell the time
			d = time.Hour
		}
		return sound.Acquire(ctx, name, holder, d)
	}}
}

func ignoresContext(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, save: func(_ context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
		return sound.Save(context.Background(), l, p)
	}}
}

func savesNothing(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, save: func(ctx context.Context, l checkpoint.Lease, _ []checkpoint.Progress) error {
		return sound.Save(ctx, l, nil)
	}}
}

func anyOrder(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, load: func(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
		progress, err := sound.Load(ctx, reader)
		slices.Reverse(progress)
		return progress, err
	}}
}

func merges(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, save: func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
		before, err := sound.Load(ctx, l.Name)
		if err != nil {
			return err
		}
		merged := slices.Clone(p)
		for _, old := range before {
			if !slices.ContainsFunc(p, func(n checkpoint.Progress) bool { return n.Partition == old.Partition }) {
				merged = append(merged, old)
			}
		}
		return sound.Save(ctx, l, merged)
	}}
}

func oneProgress(sound checkpoint.Store) checkpoint.Store {
	var last []checkpoint.Progress
	return broken{
		Store: sound,
		save: func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
			last = p
			return sound.Save(ctx, l, p)
		},
		load: func(ctx context.Context, _ string) ([]checkpoint.Progress, error) { return last, ctx.Err() },
	}
}

// onlyGrows keeps the further of two places.
func onlyGrows(sound checkpoint.Store) checkpoint.Store {
	return broken{Store: sound, save: func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
		before, err := sound.Load(ctx, l.Name)
		if err != nil || len(before) > 0 && len(p) > 0 && p[0].Position < before[0].Position {
			return err
		}
		return sound.Save(ctx, l, p)
	}}
}
