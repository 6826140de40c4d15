package readmodel

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"passbook/bank/events"
	"passbook/es/event"
	"passbook/es/projection"
)

// ErrVersion is returned where a row has another version than the one that a
// write was computed from. The batch is to be rolled back and tried again.
var ErrVersion = errors.New("account has another version than expected")

// Model is the projection.Model of accounts; the stream of an account is named
// by its id. What cannot be applied, and parks the account:
//
//   - an event of a type or schema that this program does not know, or with a
//     payload that is not what its type says;
//   - an event that does not fit the account: a second opening, another event
//     than an opening where there is no account, another currency;
//   - a balance in the payload that is not the one that the account's events
//     add up to, unless one right before it was discarded;
//   - an id of a form that no account has;
//   - on MySQL, a text or a time that is larger than any that a service accepts;
//   - a row that was changed from outside, so that it cannot be read.
//
// Rules of the business are not judged: what was accepted, once, is a fact. A
// deposit behind the closing is applied, and the account stays closed.
//
// Its methods keep nothing: they are safe for concurrent use, each call with a
// transaction of its own.
type Model struct {
	codec *event.Codec
	sql   statements
}

var _ projection.RowModel[*sql.Tx] = (*Model)(nil)

// NewModel returns the model that writes to the tables of a line, in databases
// that speak dialect.
func NewModel(dialect Dialect, tables Tables) (*Model, error) {
	statements, err := dialect.statements(tables)
	if err != nil {
		return nil, err
	}
	codec, err := events.Codec()
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return &Model{codec: codec, sql: statements}, nil
}

// Heads implements projection.Model.
func (m *Model) Heads(ctx context.Context, tx *sql.Tx, streams []string) (map[string]projection.Head, error) {
	heads := make(map[string]projection.Head, len(streams))
	err := each(ctx, tx, m.sql.heads, streams, func(r row) error {
		var id string
		var head projection.Head
		if err := r.Scan(&id, &head.Version, &head.EventID); err != nil {
			return err
		}
		heads[id] = head
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read model: heads: %w", err)
	}
	return heads, nil
}

// EventIDs implements projection.Model.
func (m *Model) EventIDs(
	ctx context.Context, tx *sql.Tx, refs []projection.Ref,
) (map[projection.Ref]string, error) {
	pairs := make([][2]any, len(refs))
	for i, ref := range refs {
		pairs[i] = [2]any{ref.Stream, ref.Version}
	}
	ids := make(map[projection.Ref]string, len(refs))
	err := each(ctx, tx, m.sql.eventIDs, pairs, func(r row) error {
		var ref projection.Ref
		var id string
		if err := r.Scan(&ref.Stream, &ref.Version, &id); err != nil {
			return err
		}
		ids[ref] = id
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read model: event ids: %w", err)
	}
	return ids, nil
}

// Rows implements projection.RowModel.
func (m *Model) Rows(ctx context.Context, tx *sql.Tx, streams []string) (map[string]projection.Head, any, error) {
	rows, err := m.rows(ctx, tx, streams)
	if err != nil {
		return nil, nil, fmt.Errorf("read model: heads: %w", err)
	}
	heads := make(map[string]projection.Head, len(rows))
	for id, row := range rows {
		heads[id] = projection.Head{Version: row.Version, EventID: row.EventID}
	}
	return heads, rows, nil
}

// Apply implements projection.Model.
func (m *Model) Apply(ctx context.Context, tx *sql.Tx, events []event.Envelope) error {
	histories := byStream(events)
	var ids []string
	for _, history := range histories {
		if history[0].Version > 0 {
			ids = append(ids, history[0].Stream)
		}
	}
	rows, err := m.rows(ctx, tx, ids)
	if err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	return m.apply(ctx, tx, rows, histories)
}

// ApplyTo implements projection.RowModel.
func (m *Model) ApplyTo(ctx context.Context, tx *sql.Tx, rows any, events []event.Envelope) error {
	found, ok := rows.(map[string]stored)
	if !ok {
		return fmt.Errorf("read model: ApplyTo was given a %T, which Rows does not return", rows)
	}
	return m.apply(ctx, tx, found, byStream(events))
}

// apply applies events, by stream, to accounts as they are stored. All events of
// an account become one write of its row; accounts are written in the order of
// their ids. Nothing is written if any event cannot be applied.
func (m *Model) apply(ctx context.Context, tx *sql.Tx, rows map[string]stored, histories [][]event.Envelope) error {
	changes := make([]*change, 0, len(histories))
	var unapplicable []error
	for _, history := range histories {
		c := newChange(history[0].Stream, rows)
		err := c.apply(m.codec, history)
		if err == nil && m.sql.fits != nil {
			if fault := m.sql.fits(c); fault != nil {
				err = projection.NewUnapplicable(history[0], fault)
			}
		}
		if _, ok := errors.AsType[*projection.Unapplicable](err); ok {
			unapplicable = append(unapplicable, err)
		} else if err != nil {
			return fmt.Errorf("read model: %w", err)
		}
		changes = append(changes, c)
	}
	if len(unapplicable) > 0 {
		return errors.Join(unapplicable...)
	}
	if err := m.write(ctx, tx, changes); err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	return nil
}

// byStream returns the events of each stream in their order, streams ascending.
func byStream(events []event.Envelope) [][]event.Envelope {
	byName := make(map[string][]event.Envelope)
	for _, e := range events {
		byName[e.Stream] = append(byName[e.Stream], e)
	}
	histories := make([][]event.Envelope, 0, len(byName))
	for _, stream := range slices.Sorted(maps.Keys(byName)) {
		histories = append(histories, byName[stream])
	}
	return histories
}

// stored is a row as it was found, or no more than its head and what is wrong with
// it.
type stored struct {
	Account
	malformed error
}

// rows returns those accounts that are there already, by id.
func (m *Model) rows(ctx context.Context, tx *sql.Tx, ids []string) (map[string]stored, error) {
	found := make(map[string]stored, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	err := each(ctx, tx, m.sql.rows, ids, func(r row) error {
		a, err := scanAccount(r)
		if bad, ok := errors.AsType[*malformedError](err); ok {
			found[bad.id] = stored{Account: a, malformed: err}
			return nil
		}
		found[a.ID] = stored{Account: a}
		return err
	})
	return found, err
}

// each runs a query that takes a list, and gives every row to scan.
func each[T any](ctx context.Context, tx *sql.Tx, query string, list []T, scan func(row) error) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, query, string(text))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error, if there is one
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
