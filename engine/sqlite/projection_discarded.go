package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"passbook/es/projection"
)

// discardedTable belongs to no line of a read model: its name never changes.
const discardedTable = `
CREATE TABLE discarded_event (
	consumer TEXT    NOT NULL,
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	event_id TEXT    NOT NULL,
	reason   TEXT    NOT NULL,
	by_whom  TEXT    NOT NULL, -- empty: without authentication
	at_us    INTEGER NOT NULL, -- microseconds since 1970, UTC
	position INTEGER NOT NULL, -- the event's in the store; 0 where it was not in the queue
	PRIMARY KEY (consumer, stream, version, event_id)
) STRICT, WITHOUT ROWID;
`

const discardedColumns = `stream, version, event_id, reason, by_whom, at_us`

// Discard implements projection.Store.
func (s *ProjectionStore) Discard(ctx context.Context, tx *sql.Tx, consumer string, d projection.Discarded) error {
	_, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO discarded_event (consumer, `+discardedColumns+`, position)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, CAST(unixepoch('subsec') * 1000000 AS INTEGER), coalesce(
			(SELECT position FROM {parked_event} WHERE consumer = ?1 AND stream = ?2 AND version = ?3 AND event_id = ?4), 0))
		ON CONFLICT (consumer, stream, version, event_id) DO NOTHING`),
		consumer, d.Stream, d.Version, d.EventID, d.Reason, d.By)
	return err
}

// SetAside returns the positions in the store of events that a consumer has
// dealt with without applying them, because they wait in the queue of a parked
// stream or were discarded: ascending, those above after, limit at most.
func (s *ProjectionStore) SetAside(ctx context.Context, consumer string, after int64, limit int) (positions []int64, err error) {
	err = s.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, s.names.Replace(`
			SELECT position FROM {parked_event} WHERE consumer = ?1 AND position > ?2
			UNION SELECT position FROM discarded_event WHERE consumer = ?1 AND position > ?2
			ORDER BY position LIMIT ?3`), consumer, after, limit)
		positions, err = collectRows(rows, err, func(row projectionRow) (position int64, err error) {
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

// Discards implements projection.Store.
func (s *ProjectionStore) Discards(
	ctx context.Context, tx *sql.Tx, consumer string, after projection.Discarded, limit int,
) ([]projection.Discarded, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+discardedColumns+` FROM discarded_event
		WHERE consumer = ? AND (stream, version, event_id) > (?, ?, ?)
		ORDER BY stream, version, event_id LIMIT ?`, consumer, after.Stream, after.Version, after.EventID, limit)
	return collectRows(rows, err, scanDiscarded)
}

func scanDiscarded(row projectionRow) (d projection.Discarded, err error) {
	var at int64
	err = row.Scan(&d.Stream, &d.Version, &d.EventID, &d.Reason, &d.By, &at)
	d.At = time.UnixMicro(at).UTC()
	return d, err
}

func compareDiscarded(a, b projection.Discarded) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Version, b.Version), cmp.Compare(a.EventID, b.EventID))
}
