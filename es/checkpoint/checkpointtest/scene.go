package checkpointtest

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

// scene is what a case works with. Its methods end the case when the store does
// what it must not.
type scene struct {
	TB
	ctx   context.Context //nolint:containedctx // it lasts as long as the case
	open  Open
	store checkpoint.Store
	stop  func() error
}

const (
	reader = "relay"
	// long is a duration that no case outlives, short one that is soon over.
	long  = time.Hour
	short = 20 * time.Millisecond
)

func (s *scene) start() {
	s.Helper()
	var err error
	s.store, s.stop, err = s.open(s.ctx)
	require.NoError(s, err, "open")
}

// reopen closes the store and opens it again.
func (s *scene) reopen() {
	s.Helper()
	require.NoError(s, s.stop(), "close")
	s.start()
}

// acquire gets the reader's lease, which has to be free.
func (s *scene) acquire(holder string, duration time.Duration) checkpoint.Lease {
	s.Helper()
	lease, err := s.store.Acquire(s.ctx, reader, holder, duration)
	require.NoError(s, err, "acquire for %s", holder)
	require.Equal(s, checkpoint.Lease{Name: reader, Holder: holder, Fence: lease.Fence}, lease)
	return lease
}

// held checks that the reader's lease is not to be had.
func (s *scene) held(holder string) {
	s.Helper()
	_, err := s.store.Acquire(s.ctx, reader, holder, long)
	require.ErrorIs(s, err, checkpoint.ErrHeld, "acquire for %s", holder)
}

func (s *scene) renew(lease checkpoint.Lease) {
	s.Helper()
	require.NoError(s, s.store.Renew(s.ctx, lease, long), "renew %+v", lease)
}

func (s *scene) release(lease checkpoint.Lease) {
	s.Helper()
	require.NoError(s, s.store.Release(s.ctx, lease), "release %+v", lease)
}

func (s *scene) save(lease checkpoint.Lease, progress ...checkpoint.Progress) {
	s.Helper()
	require.NoError(s, s.store.Save(s.ctx, lease, progress), "save by %+v", lease)
}

// lost checks that a lease is good for nothing, and that using it changes
// nothing.
func (s *scene) lost(lease checkpoint.Lease) {
	s.Helper()
	before := s.load(lease.Name)
	require.ErrorIs(s, s.store.Renew(s.ctx, lease, long), checkpoint.ErrLost, "renew %+v", lease)
	err := s.store.Save(s.ctx, lease, []checkpoint.Progress{at(0, 1<<40)})
	require.ErrorIs(s, err, checkpoint.ErrLost, "save by %+v", lease)
	s.release(lease)
	require.Equal(s, before, s.load(lease.Name), "progress after a save that was refused")
}

func (s *scene) load(name string) []checkpoint.Progress {
	s.Helper()
	progress, err := s.store.Load(s.ctx, name)
	require.NoError(s, err, "load %s", name)
	if len(progress) == 0 {
		return nil
	}
	return progress
}

// pass returns when the store's clock has moved on by more than a duration. A
// lease of that duration under another name is what tells.
func (s *scene) pass(duration time.Duration) {
	s.Helper()
	_, err := s.store.Acquire(s.ctx, "clock", "first", duration)
	require.NoError(s, err)
	for {
		second, err := s.store.Acquire(s.ctx, "clock", "second", long)
		if err == nil {
			s.release(second)
			return
		}
		require.ErrorIs(s, err, checkpoint.ErrHeld)
		select {
		case <-time.After(duration / 4):
		case <-s.ctx.Done():
			require.NoError(s, errors.New("the clock stands still"))
		}
	}
}

// at is the progress of a partition at a position.
func at(partition int32, position int64) checkpoint.Progress {
	return checkpoint.Progress{
		History: "history", Topic: "topic", Partition: partition,
		Next: position, EventID: "event", Position: position, Confirmed: position,
	}
}
