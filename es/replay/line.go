package replay

import (
	"context"
	"fmt"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// nextStore is the Store of one next line, whose id it is: a transaction that
// finds another line in its place is rolled back. So a builder that was paused,
// and lost its lease, cannot write into the line of the one that took over.
type nextStore[Tx any] struct {
	projection.Store[Tx]
	lines projection.Lines[Tx]
	id    string
}

// Update implements projection.Store. The line is looked at last: what locks has
// to come first, and until the commit nothing that was written can be seen.
func (s nextStore[Tx]) Update(ctx context.Context, fn func(tx Tx) error) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		_, next, err := s.lines.Line(ctx, tx)
		if err == nil && next != s.id {
			err = fmt.Errorf("line %s: %w, %q is", s.id, projection.ErrNoLine, next)
		}
		return err
	})
}

// replayStore keeps a consumer's place in the replay apart from that in the
// feed. Everything else is the consumer's own, parked streams too: they have
// to be there when the line has become the live one.
type replayStore[Tx any] struct{ projection.Store[Tx] }

func replayName(consumer string) string { return consumer + "/replay" }

// LockCheckpoints implements projection.Store.
func (s replayStore[Tx]) LockCheckpoints(
	ctx context.Context, tx Tx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	return s.Store.LockCheckpoints(ctx, tx, replayName(consumer), partitions...)
}

// SaveCheckpoints implements projection.Store.
func (s replayStore[Tx]) SaveCheckpoints(ctx context.Context, tx Tx, consumer string, progress ...checkpoint.Progress) error {
	return s.Store.SaveCheckpoints(ctx, tx, replayName(consumer), progress...)
}

// Checkpoints implements projection.Store.
func (s replayStore[Tx]) Checkpoints(ctx context.Context, tx Tx, consumer string) ([]checkpoint.Progress, error) {
	return s.Store.Checkpoints(ctx, tx, replayName(consumer))
}
