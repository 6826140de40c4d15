package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"passbook/es/event"
	"passbook/es/projection"
)

// CountParked implements projection.Store.
func (s *ProjectionStore) CountParked(ctx context.Context, _ *ProjectionTx, consumer string) (count int64, err error) {
	for key := range s.parked.rows {
		if key.line == s.line() && key.consumer == consumer {
			count++
		}
	}
	return count, ctx.Err()
}

// Discard implements projection.Store.
func (s *ProjectionStore) Discard(
	ctx context.Context, tx *ProjectionTx, consumer string, d projection.Discarded,
) error {
	key := parkedKey{"", consumer, d.Stream}
	before := s.discarded.rows[key]
	at, found := slices.BinarySearchFunc(before, d, compareDiscarded)
	if !found {
		d.At = event.Truncate(time.Now())
		// A new slice, so that the old one is there for a rollback.
		s.discarded.put(tx, key, slices.Insert(slices.Clone(before), at, d))
	}
	return ctx.Err()
}

// Discarded implements projection.Store.
func (s *ProjectionStore) Discarded(
	ctx context.Context, _ *ProjectionTx, consumer, stream string,
) ([]projection.Discarded, error) {
	return slices.Clone(s.discarded.rows[parkedKey{"", consumer, stream}]), ctx.Err()
}

// Discards implements projection.Store.
func (s *ProjectionStore) Discards(
	ctx context.Context, _ *ProjectionTx, consumer string, after projection.Discarded, limit int,
) (page []projection.Discarded, err error) {
	for key, all := range s.discarded.rows {
		for _, d := range all {
			if key.consumer == consumer && compareDiscarded(d, after) > 0 {
				page = append(page, d)
			}
		}
	}
	slices.SortFunc(page, compareDiscarded)
	return page[:min(limit, len(page))], ctx.Err()
}

func compareDiscarded(a, b projection.Discarded) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Version, b.Version), cmp.Compare(a.EventID, b.EventID))
}
