package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"passbook/es/event"
)

// rowsMax is how many rows one statement writes, so that it stays far below the
// longest packet that a server takes.
const rowsMax = 200

// Enqueue implements projection.Store.
func (s *ProjectionStore) Enqueue(
	ctx context.Context, tx *sql.Tx, consumer string, events []event.Envelope,
) (added int, err error) {
	for some := range slices.Chunk(events, rowsMax) {
		var args []any
		for _, e := range some {
			metadata, err := json.Marshal(e.Metadata)
			if err != nil {
				return 0, err
			}
			args = append(args, consumer, e.Stream, e.Version, e.ID, e.Position,
				e.Type.String(), e.Time.UnixMicro(), notNull(e.Data), string(metadata))
		}
		// A row that is there already is not changed, and not counted.
		result, err := tx.ExecContext(ctx, s.names.Replace(`
			INSERT INTO {parked_event} (consumer, stream, version, event_id, position, type, time_us, data, metadata)
			VALUES `+rowsOf(len(some), args)+`
			ON DUPLICATE KEY UPDATE type = {parked_event}.type`), args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += int(n)
	}
	return added, nil
}

func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// Queue implements projection.Store.
func (s *ProjectionStore) Queue(
	ctx context.Context, tx *sql.Tx, consumer, stream string, limit int,
) ([]event.Envelope, error) {
	rows, err := tx.QueryContext(ctx, s.names.Replace(`
		SELECT version, event_id, position, type, time_us, data, metadata FROM {parked_event}
		WHERE consumer = ? AND stream = ? ORDER BY version, arrival LIMIT ?`), consumer, stream, limit)
	return collectRows(rows, err, func(row row) (event.Envelope, error) {
		e := event.Envelope{Stream: stream}
		var written, metadata string
		var time int64
		if err := row.Scan(&e.Version, &e.ID, &e.Position, &written, &time, &e.Data, &metadata); err != nil {
			return e, err
		}
		return e, restore(&e, written, time, metadata)
	})
}

// restore fills in what is not kept as it is.
func restore(e *event.Envelope, written string, micros int64, metadata string) (err error) {
	if e.Type, err = event.ParseType(written); err != nil {
		return err
	}
	e.Time = time.UnixMicro(micros).UTC()
	return json.Unmarshal([]byte(metadata), &e.Metadata)
}

// Dequeue implements projection.Store.
func (s *ProjectionStore) Dequeue(
	ctx context.Context, tx *sql.Tx, consumer string, events []event.Envelope,
) error {
	statement := s.names.Replace(
		`DELETE FROM {parked_event} WHERE consumer = ? AND stream = ? AND version = ? AND event_id = ?`)
	for _, e := range events {
		if _, err := tx.ExecContext(ctx, statement, consumer, e.Stream, e.Version, e.ID); err != nil {
			return err
		}
	}
	return nil
}
