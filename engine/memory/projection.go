package memory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// ProjectionStore is a projection.Lines in memory. Its transactions run one
// after the other, reading ones too. Safe for concurrent use.
type ProjectionStore struct {
	*projectionData
	// isNext: this is the store of the next line.
	isNext bool
}

// projectionData is what the stores of all lines share.
type projectionData struct {
	// turn holds one element while a transaction runs.
	turn chan struct{}
	// live and next are the ids of lines; the rest stands below them.
	live, next  string
	nextTables  []string
	begun       map[string]bool
	rows        table[rowKey, any]
	checkpoints table[checkpointKey, checkpoint.Progress]
	parked      table[parkedKey, projection.Parked]
	queues      table[parkedKey, []event.Envelope]
	// discarded belongs to no line: the one of its keys is empty.
	discarded table[parkedKey, []projection.Discarded]

	leases *Checkpoints
}

type (
	rowKey        struct{ table, key string }
	checkpointKey struct {
		line, consumer string
		partition      int32
	}
	parkedKey struct{ line, consumer, stream string }
)

var _ projection.Lines[*ProjectionTx] = (*ProjectionStore)(nil)

// errReadOnly: a transaction of View was written to.
var errReadOnly = errors.New("memory: the transaction only reads")

// NewProjectionStore returns an empty store.
func NewProjectionStore() *ProjectionStore {
	live := event.NewID()
	return &ProjectionStore{projectionData: &projectionData{
		turn: make(chan struct{}, 1), live: live, begun: map[string]bool{live: true}, leases: NewCheckpoints(),
	}}
}

// Leases returns leases, and progress of their holders, beside the read model.
// They belong to no line, and are no part of its transactions.
func (s *ProjectionStore) Leases() *Checkpoints { return s.leases }

// line returns the id of the line that the store is of.
func (s *ProjectionStore) line() string {
	if s.isNext {
		return s.next
	}
	return s.live
}

// Update implements projection.Store.
func (s *ProjectionStore) Update(ctx context.Context, fn func(tx *ProjectionTx) error) error {
	return s.run(ctx, &ProjectionTx{store: s, writes: true}, fn)
}

// View implements projection.Store. It waits for writers to end.
func (s *ProjectionStore) View(ctx context.Context, fn func(tx *ProjectionTx) error) error {
	return s.run(ctx, &ProjectionTx{store: s}, fn)
}

func (s *ProjectionStore) run(ctx context.Context, tx *ProjectionTx, fn func(tx *ProjectionTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	committed := false
	defer func() {
		if !committed {
			tx.rollback()
		}
		<-s.turn
	}()
	if s.isNext && s.next == "" {
		return projection.ErrNoLine
	}
	if err := fn(tx); err != nil {
		return err
	}
	if tx.err != nil {
		return tx.err
	}
	committed = true
	return nil
}

// LockCheckpoints implements projection.Store.
func (s *ProjectionStore) LockCheckpoints(
	ctx context.Context, _ *ProjectionTx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	all := make([]checkpoint.Progress, len(partitions))
	for i, partition := range partitions {
		all[i] = s.checkpoints.rows[checkpointKey{s.line(), consumer, partition}]
		all[i].Partition = partition
	}
	return all, ctx.Err()
}

// SaveCheckpoints implements projection.Store.
func (s *ProjectionStore) SaveCheckpoints(
	ctx context.Context, tx *ProjectionTx, consumer string, progress ...checkpoint.Progress,
) error {
	for _, p := range progress {
		s.checkpoints.put(tx, checkpointKey{s.line(), consumer, p.Partition}, p)
	}
	return ctx.Err()
}

// Checkpoints implements projection.Store.
func (s *ProjectionStore) Checkpoints(
	ctx context.Context, _ *ProjectionTx, consumer string,
) (all []checkpoint.Progress, err error) {
	for key, progress := range s.checkpoints.rows {
		if key.line == s.line() && key.consumer == consumer {
			all = append(all, progress)
		}
	}
	slices.SortFunc(all, func(a, b checkpoint.Progress) int { return int(a.Partition - b.Partition) })
	return all, ctx.Err()
}

// LockParked implements projection.Store.
func (s *ProjectionStore) LockParked(
	ctx context.Context, _ *ProjectionTx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	found := make(map[string]projection.Parked)
	var discarded []projection.Discarded
	for _, stream := range streams {
		if parked, ok := s.parked.rows[parkedKey{s.line(), consumer, stream}]; ok {
			found[stream] = parked
		}
		discarded = append(discarded, s.discarded.rows[parkedKey{"", consumer, stream}]...)
	}
	return found, discarded, ctx.Err()
}

// Park implements projection.Store.
func (s *ProjectionStore) Park(
	ctx context.Context, tx *ProjectionTx, consumer string, parked projection.Parked,
) error {
	key := parkedKey{s.line(), consumer, parked.Stream}
	parked.Since, parked.Queued = event.Truncate(time.Now()), 0
	if before, ok := s.parked.rows[key]; ok {
		parked.Since = before.Since
	}
	s.parked.put(tx, key, parked)
	return ctx.Err()
}

// Unpark implements projection.Store.
func (s *ProjectionStore) Unpark(ctx context.Context, tx *ProjectionTx, consumer, stream string) error {
	s.parked.remove(tx, parkedKey{s.line(), consumer, stream})
	return ctx.Err()
}

// ParkedStream implements projection.Store.
func (s *ProjectionStore) ParkedStream(
	ctx context.Context, _ *ProjectionTx, consumer, stream string,
) (projection.Parked, error) {
	key := parkedKey{s.line(), consumer, stream}
	parked, ok := s.parked.rows[key]
	if !ok {
		return projection.Parked{}, projection.ErrNotParked
	}
	parked.Queued = int64(len(s.queues.rows[key]))
	return parked, ctx.Err()
}

// ParkedStreams implements projection.Store.
func (s *ProjectionStore) ParkedStreams(
	ctx context.Context, _ *ProjectionTx, consumer, after string, limit int,
) (page []projection.Parked, err error) {
	for key, parked := range s.parked.rows {
		if key.line == s.line() && key.consumer == consumer && key.stream > after {
			parked.Queued = int64(len(s.queues.rows[key]))
			page = append(page, parked)
		}
	}
	slices.SortFunc(page, func(a, b projection.Parked) int { return strings.Compare(a.Stream, b.Stream) })
	return page[:min(limit, len(page))], ctx.Err()
}
