package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"passbook/es/event"
	"passbook/es/projection"
)

// Journal is the projection.Journal of one consumer: a row for each event that
// it has applied.
type Journal struct{ consumer string }

var _ projection.Journal[*sql.Tx] = (*Journal)(nil)

const journalSchema = `CREATE TABLE IF NOT EXISTS applied_event (
	consumer TEXT    NOT NULL,
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	event_id TEXT    NOT NULL,
	PRIMARY KEY (consumer, stream, version)
) STRICT, WITHOUT ROWID`

// Journal returns the journal of a consumer, and makes its table, applied_event,
// where there is none.
func (s *ProjectionStore) Journal(ctx context.Context, consumer string) (*Journal, error) {
	err := s.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, journalSchema)
		return err //nolint:wrapcheck // it is wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("make the journal of %s: %w", consumer, err)
	}
	return &Journal{consumer: consumer}, nil
}

// Heads implements projection.Journal.
func (j *Journal) Heads(ctx context.Context, tx *sql.Tx, streams []string) (map[string]projection.Head, error) {
	heads := make(map[string]projection.Head, len(streams))
	for _, stream := range streams {
		var head projection.Head
		err := tx.QueryRowContext(ctx, `SELECT version, event_id FROM applied_event
			WHERE consumer = ? AND stream = ? ORDER BY version DESC LIMIT 1`, j.consumer, stream).Scan(&head.Version, &head.EventID)
		switch {
		case err == nil:
			heads[stream] = head
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("find the last applied event: %w", err)
		}
	}
	return heads, nil
}

// EventIDs implements projection.Journal.
func (j *Journal) EventIDs(ctx context.Context, tx *sql.Tx, refs []projection.Ref) (map[projection.Ref]string, error) {
	ids := make(map[projection.Ref]string, len(refs))
	for _, ref := range refs {
		var id string
		err := tx.QueryRowContext(ctx, `SELECT event_id FROM applied_event
			WHERE consumer = ? AND stream = ? AND version = ?`, j.consumer, ref.Stream, ref.Version).Scan(&id)
		switch {
		case err == nil:
			ids[ref] = id
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("find an applied event: %w", err)
		}
	}
	return ids, nil
}

// Record implements projection.Journal.
func (j *Journal) Record(ctx context.Context, tx *sql.Tx, events []event.Envelope) error {
	for _, e := range events {
		_, err := tx.ExecContext(ctx, `INSERT INTO applied_event (consumer, stream, version, event_id) VALUES (?, ?, ?, ?)`,
			j.consumer, e.Stream, e.Version, e.ID)
		if err != nil {
			return fmt.Errorf("record an applied event: %w", err)
		}
	}
	return nil
}
