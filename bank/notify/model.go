package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"passbook/bank/events"
	"passbook/es/event"
	"passbook/es/projection"
)

// errVersion is returned where an account has another version than the one that a
// write was computed from. The batch is to be rolled back and tried again.
var errVersion = errors.New("account has another version than expected")

// model is the projection.Model of notifications. The stream of an account is
// named by its id. An event of a type or schema that this program does not know,
// or with a payload that is not what its type says, parks its account.
//
// Events of an account that skip versions are taken as they come: somebody has
// discarded what is missing, and nobody is notified of that.
//
// Its methods keep nothing: they are safe for concurrent use, each call with a
// transaction of its own.
type model struct {
	codec    *event.Codec
	sql      statements
	channels []Channel
	now      clock
}

var _ projection.Model[*sql.Tx] = (*model)(nil)

// newModel returns the model that records for those channels.
func newModel(dialect Dialect, channels []Channel) (*model, error) {
	statements, err := dialect.statements()
	if err != nil {
		return nil, err
	}
	codec, err := events.Codec()
	if err != nil {
		return nil, fmt.Errorf("notifications: %w", err)
	}
	return &model{codec: codec, sql: statements, channels: channels, now: statements.clock()}, nil
}

// Heads implements projection.Model.
func (m *model) Heads(ctx context.Context, tx *sql.Tx, streams []string) (map[string]projection.Head, error) {
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
		return nil, fmt.Errorf("notifications: heads: %w", err)
	}
	return heads, nil
}

// EventIDs implements projection.Model.
func (m *model) EventIDs(
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
		return nil, fmt.Errorf("notifications: event ids: %w", err)
	}
	return ids, nil
}

// Apply implements projection.Model. Events of one account are recorded in their
// order. Nothing is written if any event cannot be applied.
func (m *model) Apply(ctx context.Context, tx *sql.Tx, events []event.Envelope) error {
	err := m.apply(ctx, tx, events)
	if _, ok := errors.AsType[*projection.Unapplicable](err); ok || err == nil {
		return err
	}
	return fmt.Errorf("notifications: %w", err)
}

func (m *model) apply(ctx context.Context, tx *sql.Tx, events []event.Envelope) error {
	payloads, err := m.decode(events)
	if err != nil {
		return err
	}
	start, err := m.start(ctx, tx)
	if err != nil {
		return err
	}
	holders, err := m.holders(ctx, tx, events)
	if err != nil {
		return err
	}
	known, err := m.known(ctx, tx, events)
	if err != nil {
		return err
	}
	var all []recording
	for i, e := range events {
		h := holders[e.Stream]
		if e.Version <= h.version {
			return fmt.Errorf("%w: account %s has version %d, event %s is version %d", errVersion, e.Stream, h.version, e.ID, e.Version)
		}
		message := h.take(e, payloads[i])
		if start.notifies(e) && !known[e.ID] {
			all = append(all, recordingsOf(m.channels, h.Contact, message, e.Position)...)
		}
	}
	w, err := newWriter(ctx, tx, m.sql, m.now)
	if err != nil {
		return err
	}
	if err := w.events(ctx, events); err != nil {
		return err
	}
	if err := w.notifications(ctx, all); err != nil {
		return err
	}
	return w.holders(ctx, holders)
}

// decode returns the payloads of events. Of each stream the first that cannot be
// decoded is reported, as a *projection.Unapplicable.
func (m *model) decode(events []event.Envelope) ([]any, error) {
	payloads := make([]any, len(events))
	failed := make(map[string]bool)
	var unapplicable []error
	for i, e := range events {
		payload, err := projection.Decode(m.codec, e)
		if err == nil && m.sql.fits != nil {
			if fault := m.sql.fits(e); fault != nil {
				err = projection.NewUnapplicable(e, fault)
			}
		}
		if err != nil && !failed[e.Stream] {
			failed[e.Stream] = true
			unapplicable = append(unapplicable, err)
		}
		payloads[i] = payload
	}
	return payloads, errors.Join(unapplicable...)
}

// known returns which of the events were dealt with in an earlier history.
func (m *model) known(ctx context.Context, tx *sql.Tx, events []event.Envelope) (map[string]bool, error) {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	known := make(map[string]bool)
	err := each(ctx, tx, m.sql.known, ids, func(r row) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		known[id] = true
		return nil
	})
	return known, err
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// exec runs a statement that takes a list, and more behind it, unless there is
// nothing on the list. It returns how many rows were written.
func exec[T any](ctx context.Context, tx *sql.Tx, statement string, list []T, more ...any) (written int64, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, statement, append([]any{string(text)}, more...)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// each runs a query that takes a list, and more behind it, and gives every row to
// scan.
func each[T any](ctx context.Context, tx *sql.Tx, query string, list []T, scan func(row) error, more ...any) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return eachRow(ctx, tx, query, append([]any{string(text)}, more...), scan)
}

// eachRow runs a query, and gives every row to scan.
func eachRow(ctx context.Context, tx *sql.Tx, query string, args []any, scan func(row) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
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
