package readmodel

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
)

// SetAside returns the positions of events that were dealt with and yet are in
// no table of a line, because they were parked or discarded: ascending, those
// above after, limit at most.
type SetAside func(ctx context.Context, after int64, limit int) (positions []int64, err error)

const (
	// asideMax is how many positions are asked for at once.
	asideMax = 1000
	// positionsMax is how many are counted at once.
	positionsMax = 100_000
)

// ReachedPosition returns the greatest position up to which every event of the
// store was dealt with: applied, or set aside. It begins at after, up to which
// that is known to be so; partitions are read at different speeds, so what lies
// behind may be there in part. A nil aside stands for nothing that was set aside.
//
// It counts, and so takes a part of a second for each million events behind
// after, and next to nothing for a few. With an error it returns how far it came
// until then.
func (r *Reader) ReachedPosition(ctx context.Context, after int64, aside SetAside) (reached int64, err error) {
	for reached = after; ; {
		var skipped []int64
		if aside != nil {
			// Before the tables are read: what is taken up again meanwhile is
			// found there.
			if skipped, err = aside(ctx, reached, asideMax); err != nil {
				return reached, fmt.Errorf("find position: events set aside: %w: %w", ErrUnavailable, err)
			}
		}
		through := reached + positionsMax
		if len(skipped) >= asideMax { // nothing is known behind the last
			through = min(through, skipped[len(skipped)-1])
		}
		err := r.view(ctx, func(tx *sql.Tx) (err error) {
			reached, err = r.advance(ctx, tx, reached, through, skipped)
			return err
		})
		if err != nil {
			return reached, unavailable("find position", err)
		}
		if reached < through {
			return reached, nil
		}
	}
}

// advance returns how far from low no position is missing, looking no further
// than through.
func (r *Reader) advance(ctx context.Context, tx *sql.Tx, low, through int64, skipped []int64) (int64, error) {
	var last int64
	if err := tx.QueryRowContext(ctx, r.sql.positionMax).Scan(&last); err != nil {
		return low, err
	}
	if n := len(skipped); n > 0 {
		last = max(last, skipped[n-1])
	}
	skipped, err := r.withoutApplied(ctx, tx, skipped)
	if err != nil {
		return low, err
	}
	// All of it first: mostly nothing is missing. Then halves, until one event is
	// known to be there and the next to be missing.
	high := min(last, through)
	for middle := high; low < high; middle = low + (high-low+1)/2 {
		var applied int64
		if err := tx.QueryRowContext(ctx, r.sql.positionCount, low, middle).Scan(&applied); err != nil {
			return low, err
		}
		if applied+countWithin(skipped, low, middle) >= middle-low {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low, nil
}

// withoutApplied leaves out what is in the tables after all.
func (r *Reader) withoutApplied(ctx context.Context, tx *sql.Tx, positions []int64) ([]int64, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(positions)
	if err != nil {
		return nil, err
	}
	applied := make(map[int64]bool)
	err = collect(ctx, tx, r.sql.positions, []any{string(list)}, func(r row) error {
		var position int64
		err := r.Scan(&position)
		applied[position] = true
		return err
	})
	left := make([]int64, 0, len(positions))
	for _, position := range positions {
		if !applied[position] {
			left = append(left, position)
		}
	}
	return left, err
}

// countWithin counts the ascending positions above low, up to high.
func countWithin(positions []int64, low, high int64) int64 {
	from, _ := slices.BinarySearch(positions, low+1)
	to, _ := slices.BinarySearch(positions, high+1)
	return int64(max(0, to-from))
}
