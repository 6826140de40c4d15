package projectiontest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

type (
	memTx = *memory.ProjectionTx
	store = projection.Store[memTx]
)

// TestRun_Finds breaks a store in one way after the other: the suite must fail
// in the checks that are named, at least.
func TestRun_Finds(t *testing.T) {
	t.Parallel()
	planted := []struct {
		fault string
		plant func(good *memory.ProjectionStore) store
		fails []string
	}{
		{"nothing", func(good *memory.ProjectionStore) store { return good }, nil},
		{
			"checkpoint outside the transaction",
			func(good *memory.ProjectionStore) store { return &checkpointOutside{store: good} },
			[]string{"Transaction/Rollback", "Writers/Checkpoint", "Scenario/UnknownCommit"},
		},
		{
			"no fence",
			func(good *memory.ProjectionStore) store { return &noFence{store: good} },
			[]string{"Checkpoint/LockedWhileMissing", "Scenario/PausedConsumer"},
		},
		{
			"parked streams outside the transaction",
			func(good *memory.ProjectionStore) store { return &parkedOutside{ProjectionStore: good} },
			[]string{"Transaction/Rollback", "Writers/Parked", "Scenario/EngineErrorRetriesBatch"},
		},
		{
			"nothing is rolled back",
			func(good *memory.ProjectionStore) store { return &noRollback{good} },
			[]string{"Transaction/Rollback", "Scenario/EngineErrorRetriesBatch"},
		},
		{
			"parked streams let later events pass",
			func(good *memory.ProjectionStore) store { return &forgetsParked{good} },
			[]string{"Parked/Streams", "Scenario/UnapplicableParksOneStream", "Scenario/DifferenceIsNotADuplicate"},
		},
		{
			"what was discarded is forgotten",
			func(good *memory.ProjectionStore) store { return &forgetsDiscarded{good} },
			[]string{"Discarded/Remembers", "Scenario/DiscardPassesOver", "Scenario/DiscardSettlesDifference"},
		},
		{
			"discarding tells no batch",
			func(good *memory.ProjectionStore) store { return &tellsNoBatch{good} },
			[]string{"Discarded/Remembers", "Scenario/DiscardPassesOver", "Scenario/DiscardDrains"},
		},
		{
			"what was discarded counts for every consumer",
			func(good *memory.ProjectionStore) store { return &discardsForAll{good} },
			[]string{"Discarded/Remembers"},
		},
		{
			"a version is queued once, whatever the event",
			func(good *memory.ProjectionStore) store { return &queuesVersions{good} },
			[]string{"Queue/Order", "Scenario/DifferenceIsNotADuplicate"},
		},
		{
			"an event is queued twice",
			func(good *memory.ProjectionStore) store { return &queuesTwice{good} },
			[]string{"Queue/Idempotent", "Scenario/GapParksAndHeals"},
		},
		{
			"queues in order of arrival",
			func(good *memory.ProjectionStore) store { return &unorderedQueue{good} },
			[]string{"Queue/Order"},
		},
	}
	for _, p := range planted {
		t.Run(p.fault, func(t *testing.T) {
			t.Parallel()
			failed := failures(t, func() projectiontest.Database[memTx] {
				good := memory.NewProjectionStore()
				return projectiontest.Database[memTx]{
					Open: func(projectiontest.T) store { return p.plant(good) },
					Rows: projectiontest.KeyValueRows[memTx]{},
				}
			})
			if p.fails == nil {
				require.Empty(t, failed)
			}
			for _, name := range p.fails {
				require.Contains(t, slices.Sorted(maps.Keys(failed)), name)
			}
		})
	}
}

// failures runs the suite and returns the names of the checks that failed.
func failures(t *testing.T, open func() projectiontest.Database[memTx]) map[string]string {
	t.Helper()
	failed := make(map[string]string)
	for _, check := range projectiontest.Checks[memTx]() {
		if text, ok := failsWith(t, func(t projectiontest.T) { check.Run(t, open()) }); ok {
			failed[check.Name] = text
		}
	}
	return failed
}

// failsWith runs a check that may fail, and returns how it did.
func failsWith(t *testing.T, check func(t projectiontest.T)) (text string, failed bool) {
	t.Helper()
	r := &recorder{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text, r.failed
}

// recorder is a projectiontest.T that takes notes. The embedded test gives it
// everything but the failing.
type recorder struct {
	projectiontest.T
	mu     sync.Mutex
	failed bool
	text   string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.text += fmt.Sprintf(format, args...)
}

func (r *recorder) FailNow() {
	r.Errorf("")
	runtime.Goexit()
}

// letOthers gives way to the other goroutines.
func letOthers() {
	for range 100 {
		runtime.Gosched()
	}
}

type checkpointOutside struct {
	store
	later []func() error
}

func (s *checkpointOutside) Update(ctx context.Context, fn func(tx memTx) error) error {
	later := []func() error(nil)
	err := s.store.Update(ctx, func(tx memTx) error {
		s.later = nil
		err := fn(tx)
		later = s.later
		return err
	})
	letOthers()
	for _, save := range later {
		err = errors.Join(err, save())
	}
	return err
}

func (s *checkpointOutside) SaveCheckpoints(ctx context.Context, _ memTx, consumer string, all ...checkpoint.Progress) error {
	s.later = append(s.later, func() error {
		return s.store.Update(ctx, func(tx memTx) error { return s.store.SaveCheckpoints(ctx, tx, consumer, all...) })
	})
	return nil
}

// noFence answers with what this member saved last.
type noFence struct {
	store
	mu   sync.Mutex
	last map[int32]checkpoint.Progress
}

func (s *noFence) LockCheckpoints(
	ctx context.Context, tx memTx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.store.LockCheckpoints(ctx, tx, consumer, partitions...)
	for i, partition := range partitions {
		if mine, ok := s.last[partition]; ok && err == nil {
			all[i] = mine
		}
	}
	return all, err
}

func (s *noFence) SaveCheckpoints(ctx context.Context, tx memTx, consumer string, all ...checkpoint.Progress) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = make(map[int32]checkpoint.Progress)
	}
	for _, p := range all {
		s.last[p.Partition] = p
	}
	return s.store.SaveCheckpoints(ctx, tx, consumer, all...)
}

// Checkpoints of another member are seen when a partition is assigned.
func (s *noFence) Checkpoints(ctx context.Context, tx memTx, consumer string) ([]checkpoint.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.store.Checkpoints(ctx, tx, consumer)
	for _, p := range all {
		delete(s.last, p.Partition)
	}
	return all, err
}

type parkedOutside struct {
	*memory.ProjectionStore
	later []func() error
}

func (s *parkedOutside) Update(ctx context.Context, fn func(tx memTx) error) error {
	later := []func() error(nil)
	err := s.ProjectionStore.Update(ctx, func(tx memTx) error {
		s.later = nil
		err := fn(tx)
		later = s.later
		return err
	})
	letOthers()
	for _, park := range later {
		err = errors.Join(err, park())
	}
	return err
}

func (s *parkedOutside) Park(ctx context.Context, _ memTx, consumer string, p projection.Parked) error {
	s.later = append(s.later, func() error {
		return s.ProjectionStore.Update(ctx, func(tx memTx) error { return s.ProjectionStore.Park(ctx, tx, consumer, p) })
	})
	return nil
}

type noRollback struct{ *memory.ProjectionStore }

func (s *noRollback) Update(ctx context.Context, fn func(tx memTx) error) error {
	var result error
	err := s.ProjectionStore.Update(ctx, func(tx memTx) error {
		result = fn(tx)
		return nil
	})
	return errors.Join(err, result)
}

type forgetsParked struct{ *memory.ProjectionStore }

func (s *forgetsParked) LockParked(
	context.Context, memTx, string, []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	return nil, nil, nil
}

type forgetsDiscarded struct{ *memory.ProjectionStore }

func (s *forgetsDiscarded) Discard(context.Context, memTx, string, projection.Discarded) error {
	return nil
}

// tellsNoBatch lists what was discarded, and leaves it out of what is locked.
type tellsNoBatch struct{ *memory.ProjectionStore }

func (s *tellsNoBatch) LockParked(
	ctx context.Context, tx memTx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	parked, _, err := s.ProjectionStore.LockParked(ctx, tx, consumer, streams)
	return parked, nil, err
}

type discardsForAll struct{ *memory.ProjectionStore }

func (s *discardsForAll) Discard(ctx context.Context, tx memTx, _ string, d projection.Discarded) error {
	return s.ProjectionStore.Discard(ctx, tx, "all", d)
}

func (s *discardsForAll) LockParked(
	ctx context.Context, tx memTx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	parked, _, err := s.ProjectionStore.LockParked(ctx, tx, consumer, streams)
	if err != nil {
		return nil, nil, err
	}
	_, discarded, err := s.ProjectionStore.LockParked(ctx, tx, "all", streams)
	return parked, discarded, err
}

func (s *discardsForAll) Discarded(ctx context.Context, tx memTx, _, stream string) ([]projection.Discarded, error) {
	return s.ProjectionStore.Discarded(ctx, tx, "all", stream)
}

func (s *discardsForAll) Discards(
	ctx context.Context, tx memTx, _ string, after projection.Discarded, limit int,
) ([]projection.Discarded, error) {
	return s.ProjectionStore.Discards(ctx, tx, "all", after, limit)
}

type queuesVersions struct{ *memory.ProjectionStore }

func (s *queuesVersions) Enqueue(ctx context.Context, tx memTx, consumer string, events []event.Envelope) (int, error) {
	var added int
	for _, e := range events {
		queue, err := s.Queue(ctx, tx, consumer, e.Stream, 1000)
		if err != nil {
			return added, err
		}
		if slices.ContainsFunc(queue, func(queued event.Envelope) bool { return queued.Version == e.Version }) {
			continue
		}
		n, err := s.ProjectionStore.Enqueue(ctx, tx, consumer, []event.Envelope{e})
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

type queuesTwice struct{ *memory.ProjectionStore }

func (s *queuesTwice) Queue(ctx context.Context, tx memTx, consumer, stream string, limit int) ([]event.Envelope, error) {
	var doubled []event.Envelope
	queue, err := s.ProjectionStore.Queue(ctx, tx, consumer, stream, limit)
	for _, e := range queue {
		doubled = append(doubled, e, e)
	}
	return doubled, err
}

type unorderedQueue struct{ *memory.ProjectionStore }

func (s *unorderedQueue) Queue(ctx context.Context, tx memTx, consumer, stream string, limit int) ([]event.Envelope, error) {
	queue, err := s.ProjectionStore.Queue(ctx, tx, consumer, stream, 1000)
	slices.Reverse(queue)
	return queue[:min(limit, len(queue))], err
}
