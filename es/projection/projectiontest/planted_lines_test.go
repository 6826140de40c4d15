package projectiontest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

type lines = projection.Lines[memTx]

// TestRunLines_Finds breaks the lines of a store in one way after the other: the
// suite must fail in the checks that are named, at least.
func TestRunLines_Finds(t *testing.T) {
	t.Parallel()
	planted := []struct {
		fault string
		plant func(good *memory.ProjectionStore) lines
		fails []string
	}{
		{"nothing", func(good *memory.ProjectionStore) lines { return good }, nil},
		{"any line is swapped", func(good *memory.ProjectionStore) lines { return &swapsAny{good} }, []string{"Fenced", "None"}},
		{"check is not heard", func(good *memory.ProjectionStore) lines { return &swapsAnyway{good} }, []string{"CheckFails"}},
		{"check is a transaction of its own", func(good *memory.ProjectionStore) lines { return &checksBefore{counts{ProjectionStore: good}} }, []string{"Writers"}},
		{"the next line is the live one", func(good *memory.ProjectionStore) lines { return &nextIsLive{good} }, []string{"Beside", "None"}},
		{"parked streams stay", func(good *memory.ProjectionStore) lines { return &parkedStay{good} }, []string{"Swap", "Transaction"}},
		{"checkpoints stay", func(good *memory.ProjectionStore) lines { return &checkpointsStay{good} }, []string{"Swap", "Transaction", "Rebuild"}},
		{"a new line knows of no discards", func(good *memory.ProjectionStore) lines { return &nextDiscards{good} }, []string{"Beside", "Rebuild"}},
		{"rows are swapped before the rest", func(good *memory.ProjectionStore) lines { return &rowsFirst{counts{ProjectionStore: good}} }, []string{"Readers"}},
		{"a line that was begun stays", func(good *memory.ProjectionStore) lines { return &beginStays{good} }, []string{"Fenced"}},
	}
	for _, p := range planted {
		t.Run(p.fault, func(t *testing.T) {
			t.Parallel()
			failed := make(map[string]string)
			for _, check := range projectiontest.LinesChecks[memTx]() {
				planted := p.plant(memory.NewProjectionStore())
				db := projectiontest.LinesDatabase[memTx]{
					Open:   func(projectiontest.T) lines { return planted },
					Table:  "suite_row",
					Rows:   func(table string) projectiontest.Rows[memTx] { return projectiontest.KeyValueRows[memTx]{Table: table} },
					Create: func(context.Context, memTx, string) error { return nil },
				}
				if text, ok := failsWith(t, func(t projectiontest.T) { check.Run(t, db) }); ok {
					failed[check.Name] = text
				}
			}
			if p.fails == nil {
				require.Empty(t, failed)
			}
			for _, name := range p.fails {
				require.Contains(t, slices.Sorted(maps.Keys(failed)), name)
			}
		})
	}
}

type check = func(ctx context.Context, tx memTx) error

type swapsAny struct{ *memory.ProjectionStore }

func (s *swapsAny) Swap(ctx context.Context, _ string, tables []string, check check) error {
	var next string
	err := s.View(ctx, func(tx memTx) (err error) {
		_, next, err = s.Line(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	if next == "" {
		return nil
	}
	return s.ProjectionStore.Swap(ctx, next, tables, check)
}

type swapsAnyway struct{ *memory.ProjectionStore }

func (s *swapsAnyway) Swap(ctx context.Context, id string, tables []string, check check) error {
	var failed error
	err := s.ProjectionStore.Swap(ctx, id, tables, func(ctx context.Context, tx memTx) error {
		failed = check(ctx, tx)
		return nil
	})
	return errors.Join(err, failed)
}

// counts counts transactions that are over.
type counts struct {
	*memory.ProjectionStore
	over atomic.Int64
}

func (s *counts) Update(ctx context.Context, fn func(tx memTx) error) error {
	defer s.over.Add(1)
	return s.ProjectionStore.Update(ctx, fn)
}

func (s *counts) View(ctx context.Context, fn func(tx memTx) error) error {
	defer s.over.Add(1)
	return s.ProjectionStore.View(ctx, fn)
}

// letOthers gives way until several more transactions are over, or nobody else
// seems to be there.
func (s *counts) letOthers() {
	for tries, until := 0, s.over.Load()+5; s.over.Load() < until && tries < 1000; tries++ {
		letOthers()
	}
}

type checksBefore struct{ counts }

func (s *checksBefore) Swap(ctx context.Context, id string, tables []string, check check) error {
	err := s.Next().Update(ctx, func(tx memTx) error { return check(ctx, tx) })
	if err != nil {
		return err
	}
	s.letOthers()
	return s.ProjectionStore.Swap(ctx, id, tables, func(context.Context, memTx) error { return nil })
}

type nextIsLive struct{ *memory.ProjectionStore }

func (s *nextIsLive) Next() store { return s.ProjectionStore }

type parkedStay struct{ *memory.ProjectionStore }

func (s *parkedStay) Swap(ctx context.Context, id string, tables []string, check check) error {
	return s.ProjectionStore.Swap(ctx, id, tables, func(ctx context.Context, tx memTx) error {
		if err := check(ctx, tx); err != nil {
			return err
		}
		coming, err := s.Next().ParkedStreams(ctx, tx, "tally", "", 100)
		for _, parked := range coming {
			err = errors.Join(err, s.Next().Unpark(ctx, tx, "tally", parked.Stream))
		}
		old, errOld := s.ParkedStreams(ctx, tx, "tally", "", 100)
		for _, parked := range old {
			err = errors.Join(err, s.Next().Park(ctx, tx, "tally", parked))
		}
		return errors.Join(err, errOld)
	})
}

type checkpointsStay struct{ *memory.ProjectionStore }

func (s *checkpointsStay) Swap(ctx context.Context, id string, tables []string, check check) error {
	return s.ProjectionStore.Swap(ctx, id, tables, func(ctx context.Context, tx memTx) error {
		if err := check(ctx, tx); err != nil {
			return err
		}
		old, err := s.Checkpoints(ctx, tx, "tally")
		for _, progress := range old {
			err = errors.Join(err, s.Next().SaveCheckpoints(ctx, tx, "tally", progress))
		}
		return err
	})
}

type nextDiscards struct{ *memory.ProjectionStore }

func (s *nextDiscards) Next() store { return &noDiscards{s.ProjectionStore.Next()} }

type noDiscards struct{ store }

func (s *noDiscards) LockParked(
	ctx context.Context, tx memTx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	parked, _, err := s.store.LockParked(ctx, tx, consumer, streams)
	return parked, nil, err
}

type rowsFirst struct{ counts }

func (s *rowsFirst) Swap(ctx context.Context, id string, tables []string, check check) error {
	err := s.Update(ctx, func(tx memTx) error {
		if row, ok := tx.Get("next_suite_row", "mark"); ok {
			tx.Put("suite_row", "mark", row)
		}
		return nil
	})
	s.letOthers()
	return errors.Join(err, s.ProjectionStore.Swap(ctx, id, tables, check))
}

// beginStays hands the rows of a line that was begun before to the next one.
type beginStays struct{ *memory.ProjectionStore }

func (s *beginStays) Begin(
	ctx context.Context, id string, tables []string, create func(ctx context.Context, tx memTx, next map[string]string) error,
) error {
	var row any
	var there bool
	err := s.View(ctx, func(tx memTx) error {
		row, there = tx.Get("next_suite_row", "a")
		return nil
	})
	return errors.Join(err, s.ProjectionStore.Begin(ctx, id, tables, func(ctx context.Context, tx memTx, next map[string]string) error {
		if there {
			tx.Put("next_suite_row", "a", row)
		}
		return create(ctx, tx, next)
	}))
}
