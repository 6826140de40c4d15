package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"passbook/es/projection"
)

// selectParked is to be completed by a condition.
const selectParked = `
	SELECT stream, reason, version, event_id, error, since_us,
		(SELECT count(*) FROM {parked_event} e WHERE e.consumer = p.consumer AND e.stream = p.stream)
	FROM {parked_stream} p WHERE p.consumer = ? AND `

// lockParked finds parked streams and discarded events in one statement. The
// second half is not looked at for as long as nothing was discarded.
const lockParked = `
	WITH names AS MATERIALIZED (SELECT value AS stream FROM json_each(?2))
	SELECT stream, 1, version, event_id, error, reason, '', since_us
	FROM {parked_stream} WHERE consumer = ?1 AND stream IN (SELECT stream FROM names)
	UNION ALL
	SELECT stream, 0, version, event_id, '', reason, by_whom, at_us
	FROM discarded_event WHERE consumer = ?1 AND stream IN (SELECT stream FROM names)
		AND EXISTS (SELECT 1 FROM discarded_event WHERE consumer = ?1)`

// LockParked implements projection.Store. The transaction has the lock from its
// beginning.
func (s *ProjectionStore) LockParked(
	ctx context.Context, tx *sql.Tx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	// One parameter for any number of streams, so that the statement stays the
	// same one.
	list, err := json.Marshal(streams)
	if err != nil {
		return nil, nil, err
	}
	found := make(map[string]projection.Parked)
	var discarded []projection.Discarded
	rows, err := tx.QueryContext(ctx, s.names.Replace(lockParked), consumer, string(list))
	_, err = collectRows(rows, err, func(row projectionRow) (isParked bool, err error) {
		var p projection.Parked
		var reason, by string
		var micros int64
		if err := row.Scan(&p.Stream, &isParked, &p.Version, &p.EventID, &p.Error, &reason, &by, &micros); err != nil {
			return false, err
		}
		if at := time.UnixMicro(micros).UTC(); isParked {
			p.Reason, p.Since = projection.Reason(reason), at
			found[p.Stream] = p
		} else {
			discarded = append(discarded, projection.Discarded{
				Stream: p.Stream, Version: p.Version, EventID: p.EventID, Reason: reason, By: by, At: at,
			})
		}
		return isParked, nil
	})
	slices.SortFunc(discarded, compareDiscarded)
	return found, discarded, err
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

// CountParked implements projection.Store.
func (s *ProjectionStore) CountParked(ctx context.Context, tx *sql.Tx, consumer string) (count int64, err error) {
	err = tx.QueryRowContext(ctx, s.names.Replace(
		`SELECT count(*) FROM {parked_stream} WHERE consumer = ?`), consumer).Scan(&count)
	return count, err
}

func scanParked(row projectionRow) (p projection.Parked, err error) {
	var since int64
	err = row.Scan(&p.Stream, &p.Reason, &p.Version, &p.EventID, &p.Error, &since, &p.Queued)
	p.Since = time.UnixMicro(since).UTC()
	return p, err
}
