package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"strings"
	"time"

	"passbook/es/projection"
)

const discardedColumns = `stream, version, event_id, reason, by_whom, at_us`

// Discard implements projection.Store.
func (s *ProjectionStore) Discard(ctx context.Context, tx *sql.Tx, consumer string, d projection.Discarded) error {
	text := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	_, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO discarded_event (consumer, `+discardedColumns+`, position)
		VALUES (?, ?, ?, ?, ?, ?, `+nowMicros+`, coalesce(
			(SELECT e.position FROM {parked_event} AS e WHERE e.consumer = ? AND e.stream = ? AND e.version = ? AND e.event_id = ?), 0))
		ON DUPLICATE KEY UPDATE discarded_event.at_us = discarded_event.at_us`),
		consumer, d.Stream, d.Version, d.EventID, text(d.Reason), text(d.By), consumer, d.Stream, d.Version, d.EventID)
	return err
}

// SetAside returns the positions in the store of events that a consumer has
// dealt with without applying them, because they wait in the queue of a parked
// stream or were discarded: ascending, those above after, limit at most.
func (s *ProjectionStore) SetAside(ctx context.Context, consumer string, after int64, limit int) (positions []int64, err error) {
	err = s.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, s.names.Replace(`
			(SELECT position FROM {parked_event} WHERE consumer = ? AND position > ? ORDER BY position LIMIT ?)
			UNION (SELECT position FROM discarded_event WHERE consumer = ? AND position > ? ORDER BY position LIMIT ?)
			ORDER BY position LIMIT ?`), consumer, after, limit, consumer, after, limit, limit)
		positions, err = collectRows(rows, err, func(row row) (position int64, err error) {
			err = row.Scan(&position)
			return position, err
		})
		return err
	})
	return positions, err
}

// Discarded implements projection.Store.
func (s *ProjectionStore) Discarded(
	ctx context.Context, tx *sql.Tx, consumer, stream string,
) ([]projection.Discarded, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+discardedColumns+` FROM discarded_event
		WHERE consumer = ? AND stream = ? ORDER BY version, event_id`, consumer, stream)
	return collectRows(rows, err, scanDiscarded)
}

// Discards implements projection.Store. The bounds are written out: MySQL uses no
// index for a comparison of tuples.
func (s *ProjectionStore) Discards(
	ctx context.Context, tx *sql.Tx, consumer string, after projection.Discarded, limit int,
) ([]projection.Discarded, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+discardedColumns+` FROM discarded_event
		WHERE consumer = ? AND stream >= ?
			AND (stream > ? OR stream = ? AND (version > ? OR version = ? AND event_id > ?))
		ORDER BY stream, version, event_id LIMIT ?`,
		consumer, after.Stream, after.Stream, after.Stream, after.Version, after.Version, after.EventID, limit)
	return collectRows(rows, err, scanDiscarded)
}

func scanDiscarded(row row) (d projection.Discarded, err error) {
	var at int64
	err = row.Scan(&d.Stream, &d.Version, &d.EventID, &d.Reason, &d.By, &at)
	d.At = time.UnixMicro(at).UTC()
	return d, err
}

func compareDiscarded(a, b projection.Discarded) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Version, b.Version), cmp.Compare(a.EventID, b.EventID))
}
