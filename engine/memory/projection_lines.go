package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"passbook/es/projection"
)

// nextTable returns the name that a table has in the next line.
func nextTable(table string) string { return "next_" + table }

// Next implements projection.Lines. Transactions of the store fail with
// projection.ErrNoLine while there is no next line.
func (s *ProjectionStore) Next() projection.Store[*ProjectionTx] {
	return &ProjectionStore{projectionData: s.projectionData, isNext: true}
}

// Line implements projection.Lines.
func (s *ProjectionStore) Line(ctx context.Context, _ *ProjectionTx) (live, next string, err error) {
	return s.live, s.next, ctx.Err()
}

// Begin implements projection.Lines. Tables need not be made: create may be nil.
func (s *ProjectionStore) Begin(
	ctx context.Context, id string, tables []string,
	create func(ctx context.Context, tx *ProjectionTx, next map[string]string) error,
) error {
	return s.Update(ctx, func(tx *ProjectionTx) error {
		if id == "" || s.begun[id] {
			return fmt.Errorf("memory: line id %q cannot be used: want one that never was", id)
		}
		s.dropNext(tx)
		names := make(map[string]string, len(tables))
		for _, table := range tables {
			names[table] = nextTable(table)
		}
		s.begin(tx, id, slices.Clone(tables))
		if create == nil {
			return nil
		}
		return create(ctx, tx, names)
	})
}

// begin makes id that of the next line, until a rollback.
func (s *ProjectionStore) begin(tx *ProjectionTx, id string, tables []string) {
	before, beforeTables := s.next, s.nextTables
	s.next, s.nextTables = id, tables
	if id != "" {
		s.begun[id] = true
	}
	tx.undo = append(tx.undo, func() {
		s.next, s.nextTables = before, beforeTables
		if id != "" {
			delete(s.begun, id)
		}
	})
}

// Swap implements projection.Lines.
func (s *ProjectionStore) Swap(
	ctx context.Context, id string, tables []string, check func(ctx context.Context, tx *ProjectionTx) error,
) error {
	return s.Update(ctx, func(tx *ProjectionTx) error {
		if err := s.isBegun(id, tables); err != nil {
			return err
		}
		if err := check(ctx, tx); err != nil {
			return err
		}
		s.dropLine(tx, s.live)
		s.dropTables(tx, tables)
		for key, row := range maps.Clone(s.rows.rows) {
			if i := slices.IndexFunc(tables, func(t string) bool { return nextTable(t) == key.table }); i >= 0 {
				s.rows.remove(tx, key)
				s.rows.put(tx, rowKey{tables[i], key.key}, row)
			}
		}
		s.live, s.next, s.nextTables = id, "", nil
		return nil
	})
}

// Drop implements projection.Lines.
func (s *ProjectionStore) Drop(ctx context.Context, id string, tables []string) error {
	return s.Update(ctx, func(tx *ProjectionTx) error {
		if err := s.isBegun(id, tables); err != nil {
			return err
		}
		s.dropNext(tx)
		s.begin(tx, "", nil)
		return nil
	})
}

func (s *ProjectionStore) isBegun(id string, tables []string) error {
	if id == "" || s.next != id {
		return projection.ErrNoLine
	}
	if !slices.Equal(slices.Sorted(slices.Values(tables)), slices.Sorted(slices.Values(s.nextTables))) {
		return fmt.Errorf("memory: line %s was begun with the tables %v, not %v", id, s.nextTables, tables)
	}
	return nil
}

func (s *ProjectionStore) dropNext(tx *ProjectionTx) {
	s.dropLine(tx, s.next)
	next := make([]string, len(s.nextTables))
	for i, table := range s.nextTables {
		next[i] = nextTable(table)
	}
	s.dropTables(tx, next)
}

// dropLine removes what the store keeps for a line.
func (s *ProjectionStore) dropLine(tx *ProjectionTx, line string) {
	for key := range maps.Clone(s.checkpoints.rows) {
		if key.line == line {
			s.checkpoints.remove(tx, key)
		}
	}
	for key := range maps.Clone(s.parked.rows) {
		if key.line == line {
			s.parked.remove(tx, key)
		}
	}
	for key := range maps.Clone(s.queues.rows) {
		if key.line == line {
			s.queues.remove(tx, key)
		}
	}
}

func (s *ProjectionStore) dropTables(tx *ProjectionTx, tables []string) {
	for key := range maps.Clone(s.rows.rows) {
		if slices.Contains(tables, key.table) {
			s.rows.remove(tx, key)
		}
	}
}
