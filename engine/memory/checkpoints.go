package memory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"passbook/es/checkpoint"
)

// Checkpoints is a checkpoint.Store that keeps everything in memory. Its clock
// is the process's own. Safe for concurrent use.
type Checkpoints struct {
	mu       sync.Mutex
	leases   map[string]lease
	progress map[string][]checkpoint.Progress
}

var _ checkpoint.Store = (*Checkpoints)(nil)

// lease is the last one that was given under a name. It stays when its holder
// is gone, because the next fence counts on from it.
type lease struct {
	holder string
	fence  int64
	until  time.Time // zero once it was given back
}

// NewCheckpoints returns a store that knows of no reader.
func NewCheckpoints() *Checkpoints {
	return &Checkpoints{
		leases:   make(map[string]lease),
		progress: make(map[string][]checkpoint.Progress),
	}
}

// Acquire implements checkpoint.Store.
func (c *Checkpoints) Acquire(
	ctx context.Context, name, holder string, duration time.Duration,
) (checkpoint.Lease, error) {
	if err := ctx.Err(); err != nil {
		return checkpoint.Lease{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.leases[name]
	now := time.Now()
	if now.Before(last.until) && last.holder != holder {
		return checkpoint.Lease{}, checkpoint.ErrHeld
	}
	next := lease{holder: holder, fence: last.fence + 1, until: now.Add(duration)}
	c.leases[name] = next
	return checkpoint.Lease{Name: name, Holder: holder, Fence: next.fence}, nil
}

// Renew implements checkpoint.Store.
func (c *Checkpoints) Renew(ctx context.Context, l checkpoint.Lease, duration time.Duration) error {
	return c.with(ctx, l, func(current *lease) { current.until = time.Now().Add(duration) })
}

// Release implements checkpoint.Store.
func (c *Checkpoints) Release(ctx context.Context, l checkpoint.Lease) error {
	err := c.with(ctx, l, func(current *lease) { current.until = time.Time{} })
	if errors.Is(err, checkpoint.ErrLost) {
		return nil
	}
	return err
}

// Load implements checkpoint.Store.
func (c *Checkpoints) Load(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.progress[reader]), nil
}

// Save implements checkpoint.Store.
func (c *Checkpoints) Save(ctx context.Context, l checkpoint.Lease, progress []checkpoint.Progress) error {
	saved := slices.Clone(progress)
	slices.SortFunc(saved, func(a, b checkpoint.Progress) int { return int(a.Partition - b.Partition) })
	return c.with(ctx, l, func(*lease) { c.progress[l.Name] = saved })
}

// with does something on the strength of a lease, unless that is lost.
func (c *Checkpoints) with(ctx context.Context, l checkpoint.Lease, do func(current *lease)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	current := c.leases[l.Name]
	if current.fence != l.Fence || current.until.IsZero() {
		return checkpoint.ErrLost
	}
	do(&current)
	c.leases[l.Name] = current
	return nil
}
