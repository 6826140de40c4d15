package projectiontest

import (
	"context"
	"errors"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// consumer is the name of the group in every check.
const consumer = "tally"

// runMax is how many records a member gets at once.
const runMax = 3

// Hooked is a store whose transactions can be disturbed. A hook that is nil
// does nothing.
type Hooked[Tx any] struct {
	projection.Store[Tx]
	// Before runs before the transaction begins, Inside when all is done but
	// the commit, After when it is committed. Their errors are what Update
	// returns.
	Before, Inside, After func() error
}

// Update implements projection.Store.
func (h *Hooked[Tx]) Update(ctx context.Context, fn func(tx Tx) error) error {
	if err := call(h.Before); err != nil {
		return err
	}
	err := h.Store.Update(ctx, func(tx Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return call(h.Inside)
	})
	if err != nil {
		return err
	}
	return call(h.After)
}

func call(hook func() error) error {
	if hook == nil {
		return nil
	}
	return hook()
}

// Member is one member of the group: a projection into a Tally, and a bus that
// leads a topic to it.
type Member[Tx any] struct {
	*projection.Projection[Tx]
	Store *Hooked[Tx]
	// look is a store of its own, so that looking disturbs nothing.
	look  projection.Store[Tx]
	watch Watcher
	next  map[int32]int64
}

// NewMember returns a member with a store of its own on the database.
func NewMember[Tx any](t T, db Database[Tx]) *Member[Tx] {
	t.Helper()
	return NewMemberOf(t, db, db.Open(t), Tally[Tx]{Rows: db.Rows})
}

// NewMemberOf returns a member with that store, on the database, and model.
func NewMemberOf[Tx any](
	t T, db Database[Tx], store projection.Store[Tx], model projection.Model[Tx],
) *Member[Tx] {
	t.Helper()
	return NewMemberWith(t, db, store, model, projection.Config{DrainMax: 4})
}

// NewMemberWith returns a member with those settings.
func NewMemberWith[Tx any](
	t T, db Database[Tx], store projection.Store[Tx], model projection.Model[Tx], config projection.Config,
) *Member[Tx] {
	t.Helper()
	hooked := &Hooked[Tx]{Store: store}
	if db.Model != nil {
		model = db.Model(model)
	}
	watch, _ := model.(Watcher)
	p, err := projection.New(consumer, hooked, model, config)
	require.NoError(t, err)
	return &Member[Tx]{Projection: p, Store: hooked, look: db.Open(t), watch: watch, next: make(map[int32]int64)}
}

// Next returns the offset that the member wants to read next.
func (m *Member[Tx]) Next(partition int32) int64 { return m.next[partition] }

// Join assigns a partition to the member.
func (m *Member[Tx]) Join(t T, topic *Topic, partition int32) error {
	t.Helper()
	next, err := m.Assign(t.Context(), topic.Assignment(partition))
	if err == nil {
		require.GreaterOrEqual(t, next, topic.bounds[partition].First, "a place to read from that is gone")
		require.LessOrEqual(t, next, topic.bounds[partition].End, "a place to read from that is not there yet")
		m.next[partition] = next
	}
	return err
}

// Take consumes a run that was read some time ago.
func (m *Member[Tx]) Take(t T, run bus.Run) error {
	if m.watch != nil {
		m.watch.Watch(run)
	}
	next, err := m.Consume(t.Context(), run)
	if err == nil {
		m.next[run.Partition] = next
	}
	return err
}

// Step consumes the next run, which is to work.
func (m *Member[Tx]) Step(t T, topic *Topic, partition int32) {
	t.Helper()
	require.NoError(t, m.Take(t, topic.Run(partition, m.next[partition], runMax)))
}

// Finish consumes a partition to its end.
func (m *Member[Tx]) Finish(t T, topic *Topic, partition int32) {
	t.Helper()
	for range 1000 {
		run := topic.Run(partition, m.next[partition], runMax)
		if len(run.Records) == 0 {
			return
		}
		require.NoError(t, m.Take(t, run))
	}
	require.Fail(t, "a member does not come to the end of its partition")
}

// TakeOver joins a partition and consumes it to its end.
func (m *Member[Tx]) TakeOver(t T, topic *Topic, partition int32) {
	t.Helper()
	require.NoError(t, m.Join(t, topic, partition))
	m.Finish(t, topic, partition)
}

// Row returns a row of the read model.
func (m *Member[Tx]) Row(t T, db Database[Tx], stream string) (row Row) {
	t.Helper()
	require.NoError(t, m.look.View(t.Context(), func(tx Tx) (err error) {
		row, _, err = Tally[Tx]{Rows: db.Rows}.row(t.Context(), tx, stream)
		return err
	}))
	return row
}

// requireRow wants the row of a stream to be the fold of exactly these events.
func (m *Member[Tx]) requireRow(t T, db Database[Tx], stream string, events []event.Envelope) {
	t.Helper()
	var want Row
	for _, e := range events {
		want.IDs = append(want.IDs, e.ID)
		want.Sum += 1 << min(e.Version, 40)
	}
	require.Equal(t, want, m.Row(t, db, stream), "row of stream %s", stream)
}

// Checkpoint returns the committed progress in a partition.
func (m *Member[Tx]) Checkpoint(t T, partition int32) checkpoint.Progress {
	t.Helper()
	found := checkpoint.Progress{Partition: partition}
	require.NoError(t, m.look.View(t.Context(), func(tx Tx) error {
		all, err := m.look.Checkpoints(t.Context(), tx, consumer)
		for _, c := range all {
			if c.Partition == partition {
				found = c
			}
		}
		return err
	}))
	return found
}

// requireAt wants the checkpoint to be behind an event.
func (m *Member[Tx]) requireAt(t T, topic *Topic, partition int32, next int64, last event.Envelope) {
	t.Helper()
	require.Equal(t, checkpoint.Progress{
		History: topic.History.ID, Topic: topic.ID, Partition: partition,
		First: topic.bounds[partition].First, Next: next, EventID: last.ID, Position: last.Position,
	}, m.Checkpoint(t, partition))
}

// requireParked wants a stream to be parked for a reason, at a version, with
// exactly these events in its queue.
func (m *Member[Tx]) requireParked(
	t T, stream string, reason projection.Reason, version int64, queue ...event.Envelope,
) {
	t.Helper()
	parked, queued, err := m.ParkedStream(t.Context(), stream, 1000)
	require.NoError(t, err)
	require.Equal(t, reason, parked.Reason)
	require.Equal(t, version, parked.Version)
	require.NotEmpty(t, parked.Error)
	require.Equal(t, ids(queue), ids(queued))
	require.Equal(t, int64(len(queue)), parked.Queued)
}

// requireOnlyParked wants exactly these streams to be parked.
func (m *Member[Tx]) requireOnlyParked(t T, streams ...string) {
	t.Helper()
	parked, err := m.Parked(t.Context(), "", 1000)
	require.NoError(t, err)
	var names []string
	for _, p := range parked {
		names = append(names, p.Stream)
	}
	require.Equal(t, streams, names)
}

func ids(events []event.Envelope) []string {
	all := []string{}
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}

var errPlanted = errors.New("planted")

// update runs fn in a transaction, which is to work.
func update[Tx any](t T, store projection.Store[Tx], fn func(tx Tx) error) {
	t.Helper()
	require.NoError(t, store.Update(t.Context(), fn))
}

// view runs fn in a transaction that reads, which is to work.
func view[Tx any](t T, store projection.Store[Tx], fn func(tx Tx) error) {
	t.Helper()
	require.NoError(t, store.View(t.Context(), fn))
}
