package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"passbook/es/projection"
)

// nowMicros is the server's clock at the moment at which the row is made.
const nowMicros = `CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)`

// selectParked is to be completed by a condition.
const selectParked = `
	SELECT stream, reason, version, event_id, error, since_us,
		(SELECT count(*) FROM {parked_event} AS e WHERE e.consumer = p.consumer AND e.stream = p.stream)
	FROM {parked_stream} AS p WHERE p.consumer = ? AND `

// listOf returns as many parameters as there are values, in brackets.
func listOf(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")" }

// rowsOf returns the parameters for args as so many rows, the way VALUES wants them.
func rowsOf(rows int, args []any) string {
	return strings.TrimSuffix(strings.Repeat(listOf(len(args)/rows)+",", rows), ",")
}

// with puts the names of a list behind the consumer's.
func with[T any](consumer string, list []T) []any {
	args := make([]any, 0, 1+len(list))
	args = append(args, consumer)
	for _, one := range list {
		args = append(args, one)
	}
	return args
}

// LockParked implements projection.Store. The rows are found by the primary key
// alone, and so locked in its order: a scan of the table would wait for rows
// that nobody asked for. What was discarded is a second statement, so that it is
// as of a moment after the first has got its locks.
func (s *ProjectionStore) LockParked(
	ctx context.Context, tx *sql.Tx, consumer string, streams []string,
) (map[string]projection.Parked, []projection.Discarded, error) {
	found := make(map[string]projection.Parked)
	if len(streams) == 0 {
		return found, nil, nil
	}
	args := with(consumer, streams)
	rows, err := tx.QueryContext(ctx, s.names.Replace(`
		SELECT stream, reason, version, event_id, error, since_us, 0 FROM {parked_stream} FORCE INDEX (PRIMARY)
		WHERE consumer = ? AND stream IN `+listOf(len(streams))+` ORDER BY stream FOR UPDATE`), args...)
	parked, err := collectRows(rows, err, scanParked)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range parked {
		found[p.Stream] = p
	}
	//nolint:gosec // only question marks are put together
	rows, err = tx.QueryContext(ctx, `SELECT `+discardedColumns+` FROM discarded_event FORCE INDEX (PRIMARY)
		WHERE consumer = ? AND stream IN `+listOf(len(streams)), args...)
	discarded, err := collectRows(rows, err, scanDiscarded)
	slices.SortFunc(discarded, compareDiscarded)
	return found, discarded, err
}

// Park implements projection.Store.
func (s *ProjectionStore) Park(ctx context.Context, tx *sql.Tx, consumer string, p projection.Parked) error {
	_, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO {parked_stream} (consumer, stream, reason, version, event_id, error, since_us)
		VALUES (?, ?, ?, ?, ?, ?, `+nowMicros+`) AS new
		ON DUPLICATE KEY UPDATE reason = new.reason, version = new.version, event_id = new.event_id, error = new.error`),
		consumer, p.Stream, string(p.Reason), p.Version, p.EventID, strings.ToValidUTF8(p.Error, "\uFFFD"))
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

func scanParked(row row) (p projection.Parked, err error) {
	var since int64
	err = row.Scan(&p.Stream, &p.Reason, &p.Version, &p.EventID, &p.Error, &since, &p.Queued)
	p.Since = time.UnixMicro(since).UTC()
	return p, err
}
