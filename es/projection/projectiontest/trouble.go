package projectiontest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// UnknownCommit loses the answer to a commit: once after it took place, once
// when it never did. The batch is applied once.
func UnknownCommit[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 2, NewHistory("history"))
	h := topic.History
	for i, took := range []bool{true, false} {
		partition, stream := int32(i), fmt.Sprintf("took place: %t", took)
		topic.Publish(partition, h.Events(stream, 0, 9)...)
		member := NewMember(t, db)
		require.NoError(t, member.Join(t, topic, partition))
		member.Step(t, topic, partition)

		lost := func() error { return errPlanted }
		if took {
			member.Store.After = lost
		} else {
			member.Store.Inside = lost
		}
		run := topic.Run(partition, member.next[partition], runMax)
		require.ErrorIs(t, member.Take(t, run), errPlanted)
		require.ErrorIs(t, member.Status().Partitions[0].Err, errPlanted)
		member.Store.After, member.Store.Inside = nil, nil

		require.NoError(t, member.Take(t, run)) // as a subscriber does
		member.Finish(t, topic, partition)
		member.requireRow(t, db, stream, h.Events(stream, 0, 9))
		member.requireAt(t, topic, partition, 10, h.Event(stream, 9))
		member.requireOnlyParked(t)
		require.NoError(t, member.Status().Partitions[0].Err)
		require.Equal(t, took, member.Status().Counts.Fenced == 1)
	}
}

// EngineErrorRetriesBatch lets each single call of store and model fail once:
// nothing of the batch remains, nothing is parked for it, and the next try is
// as good as the first.
func EngineErrorRetriesBatch[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Event("a", 0), h.Event("b", 0), h.Event("a", 2), h.Event("c", 1), h.Event("b", 1))
	faults := &faults{}
	member := NewMemberOf(t, db,
		&faultyStore[Tx]{Store: db.Open(t), faults: faults},
		faultyModel[Tx]{Model: Tally[Tx]{Rows: db.Rows}, faults: faults})
	member.TakeOver(t, topic, 0)
	member.requireParked(t, "a", projection.ReasonGap, 1, h.Event("a", 2))
	before := member.Checkpoint(t, 0)

	// A duplicate below the head, one that heals, one that parks, one that flows.
	topic.Publish(0, h.Event("b", 0), h.Event("a", 1), h.Event("d", 1), h.Event("b", 2))
	run := topic.Run(0, member.next[0], 100)
	kinds := make(map[string]bool)
	for n := 1; ; n++ {
		faults.set(n)
		err := member.Take(t, run)
		failed := faults.set(0)
		if failed == "" {
			require.NoError(t, err)
			break
		}
		kinds[failed] = true
		require.ErrorIs(t, err, errPlanted, failed)
		require.Equal(t, before, member.Checkpoint(t, 0), failed)
		member.requireRow(t, db, "a", h.Events("a", 0, 0))
		member.requireRow(t, db, "b", h.Events("b", 0, 1))
		member.requireOnlyParked(t, "a", "c")
		member.requireParked(t, "a", projection.ReasonGap, 1, h.Event("a", 2))
	}
	for _, kind := range []string{
		"LockCheckpoints", "SaveCheckpoints", "LockParked", "Park", "Unpark", "Enqueue", "Queue", "Dequeue",
		"Heads", "EventIDs", "Apply",
	} {
		require.True(t, kinds[kind], "%s was never called", kind)
	}
	member.requireRow(t, db, "a", h.Events("a", 0, 2))
	member.requireRow(t, db, "b", h.Events("b", 0, 2))
	member.requireOnlyParked(t, "c", "d")
	member.requireAt(t, topic, 0, 9, h.Event("b", 2))
}

// faults lets the n-th call fail.
type faults struct {
	n      int
	failed string
}

// set arms the faults, 0 for none, and returns what has failed since the last
// time.
func (f *faults) set(n int) (failed string) {
	failed, f.failed, f.n = f.failed, "", n
	return failed
}

func (f *faults) hit(call string) error {
	f.n--
	if f.n != 0 {
		return nil
	}
	f.failed = call
	return errPlanted
}

type faultyStore[Tx any] struct {
	projection.Store[Tx]
	*faults
}

func (s *faultyStore[Tx]) LockCheckpoints(
	ctx context.Context, tx Tx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	if err := s.hit("LockCheckpoints"); err != nil {
		return nil, err
	}
	return s.Store.LockCheckpoints(ctx, tx, consumer, partitions...)
}

func (s *faultyStore[Tx]) SaveCheckpoints(ctx context.Context, tx Tx, consumer string, progress ...checkpoint.Progress) error {
	if err := s.hit("SaveCheckpoints"); err != nil {
		return err
	}
	return s.Store.SaveCheckpoints(ctx, tx, consumer, progress...)
}

func (s *faultyStore[Tx]) LockParked(
	ctx context.Context, tx Tx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	if err := s.hit("LockParked"); err != nil {
		return nil, nil, err
	}
	return s.Store.LockParked(ctx, tx, consumer, streams)
}

func (s *faultyStore[Tx]) Park(ctx context.Context, tx Tx, consumer string, parked projection.Parked) error {
	if err := s.hit("Park"); err != nil {
		return err
	}
	return s.Store.Park(ctx, tx, consumer, parked)
}

func (s *faultyStore[Tx]) Unpark(ctx context.Context, tx Tx, consumer, stream string) error {
	if err := s.hit("Unpark"); err != nil {
		return err
	}
	return s.Store.Unpark(ctx, tx, consumer, stream)
}

func (s *faultyStore[Tx]) Enqueue(ctx context.Context, tx Tx, consumer string, events []event.Envelope) (int, error) {
	if err := s.hit("Enqueue"); err != nil {
		return 0, err
	}
	return s.Store.Enqueue(ctx, tx, consumer, events)
}

func (s *faultyStore[Tx]) Queue(
	ctx context.Context, tx Tx, consumer, stream string, limit int,
) ([]event.Envelope, error) {
	if err := s.hit("Queue"); err != nil {
		return nil, err
	}
	return s.Store.Queue(ctx, tx, consumer, stream, limit)
}

func (s *faultyStore[Tx]) Dequeue(ctx context.Context, tx Tx, consumer string, events []event.Envelope) error {
	if err := s.hit("Dequeue"); err != nil {
		return err
	}
	return s.Store.Dequeue(ctx, tx, consumer, events)
}

type faultyModel[Tx any] struct {
	projection.Model[Tx]
	*faults
}

func (m faultyModel[Tx]) Heads(ctx context.Context, tx Tx, streams []string) (map[string]projection.Head, error) {
	if err := m.hit("Heads"); err != nil {
		return nil, err
	}
	return m.Model.Heads(ctx, tx, streams)
}

func (m faultyModel[Tx]) EventIDs(
	ctx context.Context, tx Tx, refs []projection.Ref,
) (map[projection.Ref]string, error) {
	if err := m.hit("EventIDs"); err != nil {
		return nil, err
	}
	return m.Model.EventIDs(ctx, tx, refs)
}

func (m faultyModel[Tx]) Apply(ctx context.Context, tx Tx, events []event.Envelope) error {
	// The rows are written first, so that there is something to take back.
	if err := m.Model.Apply(ctx, tx, events); err != nil {
		return err
	}
	return m.hit("Apply")
}
