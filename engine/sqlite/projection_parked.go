package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"passbook/es/projection"
)

// selectParked is to be completed by a condition.
const selectParked = `
	SELECT stream, reason, version, event_id, error, since_us,
		(SELECT count(*) FROM {parked_event} e WHERE e.consumer = p.consumer AND e.stream = p.stream)
	FROM {parked_stream} p WHERE p.consumer = ? AND `

// LockParked implements projection.Store. The transaction has the lock from its
// beginning.
func (s *ProjectionStore) LockParked(
	ctx context.Context, tx *sql.Tx, consumer string, streams []string,
) (map[string]projection.Parked, error) {
	// One parameter for any number of streams, so that the statement stays the
	// same one.
	list, err := json.Marshal(streams)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, s.names.Replace(
		selectParked+`p.stream IN (SELECT value FROM json_each(?))`), consumer, string(list))
	all, err := collectRows(rows, err, scanParked)
	found := make(map[string]projection.Parked, len(all))
	for _, parked := range all {
		found[parked.Stream] = parked
	}
	return found, err
}

// Park implements projection.Store.
func (s *ProjectionStore) Park(ctx context.Context, tx *sql.Tx, consumer string, p projection.Parked) error {
	_, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO {parked_stream} (consumer, stream, reason, version, event_id, error, since_us)
		VALUES (?, ?, ?, ?, ?, ?, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
		ON CONFLICT (consumer, stream) DO UPDATE SET
			reason = excluded.reason, version = excluded.version, event_id = excluded.event_id, error = excluded.error`),
		consumer, p.Stream, string(p.Reason), p.Version, p.EventID, p.Error)
	return err
}

// Unpark implements projection.Store.
func (s *ProjectionStore) Unpark(ctx context.Context, tx *sql.Tx, consumer, stream string) error {
	_, err := tx.ExecContext(ctx, s.names.Replace(
		`DELETE FROM {parked_stream} WHERE consumer = ? AND stream = ?`), consumer, stream)
	return err
}

// ParkedStream implements projection.Store.
func (s *ProjectionStore) ParkedStream(
	ctx context.Context, tx *sql.Tx, consumer, stream string,
) (projection.Parked, error) {
	parked, err := scanParked(tx.QueryRowContext(ctx, s.names.Replace(selectParked+`p.stream = ?`), consumer, stream))
	if errors.Is(err, sql.ErrNoRows) {
		return projection.Parked{}, projection.ErrNotParked
	}
	return parked, err
}

// ParkedStreams implements projection.Store.
func (s *ProjectionStore) ParkedStreams(
	ctx context.Context, tx *sql.Tx, consumer, after string, limit int,
) ([]projection.Parked, error) {
	rows, err := tx.QueryContext(ctx, s.names.Replace(
		selectParked+`p.stream > ? ORDER BY p.stream LIMIT ?`), consumer, after, limit)
	return collectRows(rows, err, scanParked)
}

func scanParked(row projectionRow) (p projection.Parked, err error) {
	var since int64
	err = row.Scan(&p.Stream, &p.Reason, &p.Version, &p.EventID, &p.Error, &since, &p.Queued)
	p.Since = time.UnixMicro(since).UTC()
	return p, err
}
