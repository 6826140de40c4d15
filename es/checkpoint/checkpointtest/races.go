package checkpointtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

func raceCases() []Case {
	return []Case{
		{Name: "one of many gets a free lease", run: raceForFree},
		{Name: "one of many gets a lease whose time is up", run: raceForExpired},
		{Name: "fences are never given twice", run: raceFences},
		{Name: "of two that save, the later holder stays", run: raceSaves},
		{Name: "no half of a save is seen", run: raceWhole},
	}
}

const racers = 8

// race runs fn in goroutines of its own and returns when all have.
func race(fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

func raceForFree(s *scene) { s.raceOnce() }

func raceForExpired(s *scene) {
	s.acquire("late", short)
	s.pass(2 * short)
	s.raceOnce()
}

// raceOnce lets many reach for the lease; one has to get it.
func (s *scene) raceOnce() {
	s.Helper()
	errs := make([]error, racers)
	leases := make([]checkpoint.Lease, racers)
	race(func(i int) {
		leases[i], errs[i] = s.store.Acquire(s.ctx, reader, fmt.Sprint("racer ", i), long)
	})
	var won []checkpoint.Lease
	for i, err := range errs {
		if err == nil {
			won = append(won, leases[i])
			continue
		}
		require.ErrorIs(s, err, checkpoint.ErrHeld)
	}
	require.Len(s, won, 1, "leases given at once")
	s.save(won[0], at(0, 1))
}

func raceFences(s *scene) {
	const rounds = 20
	fences := make([][]int64, racers)
	errs := make([]error, racers)
	race(func(i int) {
		for range rounds {
			lease, err := s.store.Acquire(s.ctx, reader, "the same", long)
			if err != nil {
				errs[i] = err
				return
			}
			fences[i] = append(fences[i], lease.Fence)
		}
	})
	require.NoError(s, errors.Join(errs...))
	seen := make(map[int64]bool)
	for _, own := range fences {
		last := int64(0)
		for _, fence := range own {
			require.Greater(s, fence, last, "a later fence is higher")
			require.False(s, seen[fence], "fence %d was given twice", fence)
			seen[fence], last = true, fence
		}
	}
}

// raceSaves: everybody takes the lease from everybody and saves. From then on
// nothing of an older fence is there any more, and what stays in the end is of
// the highest fence that saved.
func raceSaves(s *scene) {
	const rounds = 20
	highest := make([]int64, racers)
	errs := make([]error, racers)
	race(func(i int) {
		for range rounds {
			fence, err := s.saveFence()
			if err != nil && !errors.Is(err, checkpoint.ErrLost) {
				errs[i] = err
				return
			}
			highest[i] = max(highest[i], fence)
		}
	})
	require.NoError(s, errors.Join(errs...))
	top := slices.Max(highest)
	require.Positive(s, top, "the last to acquire saved")
	require.Equal(s, []checkpoint.Progress{at(0, top)}, s.load(reader))
}

// saveFence acquires the lease, saves its fence as progress, and returns it.
func (s *scene) saveFence() (int64, error) {
	lease, err := s.store.Acquire(s.ctx, reader, "the same", long)
	if err != nil {
		return 0, err
	}
	if err := s.store.Save(s.ctx, lease, []checkpoint.Progress{at(0, lease.Fence)}); err != nil {
		return 0, err
	}
	progress, err := s.store.Load(s.ctx, reader)
	switch {
	case err != nil:
		return 0, err
	case len(progress) != 1 || progress[0].Position < lease.Fence:
		return 0, fmt.Errorf("fence %d saved, and then there is %+v", lease.Fence, progress)
	}
	return lease.Fence, nil
}

// raceWhole: each save has another number of partitions, all of one mark.
func raceWhole(s *scene) {
	const saves, partitions = 100, 6
	lease := s.acquire("a", long)
	done := make(chan error, 1)
	defer func() {
		for range done {
		}
	}()
	go func() {
		defer close(done)
		for n := range int64(saves) {
			var progress []checkpoint.Progress
			for p := range 1 + int32(n)%partitions {
				progress = append(progress, at(p, n))
			}
			if err := s.store.Save(s.ctx, lease, progress); err != nil {
				done <- err
				return
			}
		}
	}()
	for {
		progress := s.load(reader)
		for p, got := range progress {
			require.Equal(s, at(int32(p), progress[0].Position), got)
			require.Len(s, progress, 1+int(got.Position)%partitions, "partitions of save %d", got.Position)
		}
		select {
		case err := <-done:
			require.NoError(s, err, "save")
			return
		case <-time.After(time.Millisecond):
		}
	}
}
