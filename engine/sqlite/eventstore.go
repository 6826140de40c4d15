package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// EventStore is an eventstore.Engine in one SQLite file. Safe for concurrent
// use, Append included.
type EventStore struct{ db *database }

var _ eventstore.Engine = (*EventStore)(nil)

// OpenEventStore opens the event store in the file at path, and creates it if
// there is none; the folder has to be there. The file belongs to this process
// until Close: a second process is refused, by a lock on the file path.lock.
//
// An error is one line: the file is in use, is no event store, was written by a
// newer program, or cannot be opened or written.
func OpenEventStore(ctx context.Context, path string) (*EventStore, error) {
	if err := refuseRecovering(path); err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, eventStoreKind, path)
	if err != nil {
		return nil, err
	}
	return &EventStore{db: db}, nil
}

// OpenEventStoreReadOnly opens an existing event store for reading, also while
// another process writes to it. Append and SaveSnapshot fail. Where no process
// has it open, SQLite's own files beside it, path-wal and path-shm, may be left
// behind empty.
func OpenEventStoreReadOnly(ctx context.Context, path string) (*EventStore, error) {
	if err := refuseRecovering(path); err != nil {
		return nil, err
	}
	db, err := openReadOnly(ctx, eventStoreKind, path)
	if err != nil {
		return nil, err
	}
	return &EventStore{db: db}, nil
}

// Ping tells whether the store can be written to, as far as that can be told
// without writing: it answers, and is still the file at its path. A store that
// is only read is asked for an answer alone.
func (s *EventStore) Ping(ctx context.Context) error {
	if err := s.db.stillThere(); err != nil {
		return err
	}
	_, err := s.Head(ctx)
	return err
}

// Close waits for the calls that run, and closes the file. Every later call
// fails; another Close does nothing.
func (s *EventStore) Close() error { return s.db.close() }

// Features implements eventstore.Engine: there is nothing to declare.
func (s *EventStore) Features() eventstore.Features { return eventstore.Features{} }

// History implements eventstore.Engine.
func (s *EventStore) History(ctx context.Context) (history string, err error) {
	var pending string
	err = s.db.query(ctx, selectHistory, nil, func(rows *sql.Rows) error { return rows.Scan(&history, &pending) })
	if err == nil {
		err = noHistory(pending)
	}
	if err != nil {
		return "", err
	}
	return history, nil
}

const (
	selectHead    = "SELECT coalesce(max(position), 0) FROM event"
	selectVersion = "SELECT coalesce(max(version), -1) FROM event WHERE stream = ?"
)

// Head implements eventstore.Engine.
func (s *EventStore) Head(ctx context.Context) (position int64, err error) {
	err = s.db.query(ctx, selectHead, nil, func(rows *sql.Rows) error { return rows.Scan(&position) })
	return position, err
}

// StreamVersion implements eventstore.Engine.
func (s *EventStore) StreamVersion(ctx context.Context, stream string) (version int64, err error) {
	err = s.db.query(ctx, selectVersion, []any{stream}, func(rows *sql.Rows) error { return rows.Scan(&version) })
	return version, err
}

// ReadStream implements eventstore.Engine.
func (s *EventStore) ReadStream(
	ctx context.Context, stream string, from int64, limit int,
) ([]event.Envelope, error) {
	return s.readEvents(ctx, math.MaxInt,
		"SELECT "+eventColumns+" FROM event WHERE stream = ? AND version >= ? ORDER BY version LIMIT ?",
		stream, from, max(limit, 0))
}

// ReadAll implements eventstore.Engine.
func (s *EventStore) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	return s.readEvents(ctx, eventstore.PageBytes,
		"SELECT "+eventColumns+" FROM event WHERE position > ? ORDER BY position LIMIT ?",
		after, max(limit, 0))
}

// errPageFull ends the reading of a page.
var errPageFull = errors.New("page is full")

// A page with more than pageFew events mostly has as many as readers ask for, which
// is pageMany: room for them is made at once.
const (
	pageFew  = 32
	pageMany = 1000
)

func (s *EventStore) readEvents(
	ctx context.Context, bytesMax int, query string, args ...any,
) (page []event.Envelope, err error) {
	bytes := 0
	err = s.db.query(ctx, query, args, func(rows *sql.Rows) error {
		if len(page) == pageFew {
			page = slices.Grow(page, pageMany-pageFew)
		}
		var e event.Envelope
		var micros int64
		m := &e.Metadata
		err := rows.Scan(&e.Position, &e.Stream, &e.Version, &e.ID, &e.Category, &e.Type.Name, &e.Type.Schema,
			&micros, &e.Data, &m.CorrelationID, &m.CausationID, &m.Actor, &m.TraceParent, &m.Imported)
		e.Time = time.UnixMicro(micros).UTC()
		page = append(page, e)
		if bytes += len(e.Data); err == nil && bytes >= bytesMax {
			err = errPageFull
		}
		return err
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return nil, err
	}
	return page, nil
}

const selectKey = "SELECT " + keyColumns + " FROM idempotency_key WHERE client = ? AND value = ?"

// FindKey implements eventstore.Engine.
func (s *EventStore) FindKey(ctx context.Context, key event.Key) (record eventstore.KeyRecord, err error) {
	err = s.db.query(ctx, selectKey, []any{key.Client, key.Value}, scanKey(&record))
	if err == nil && record.Key.IsZero() {
		err = eventstore.ErrKeyNotFound
	}
	return record, err
}

func scanKey(r *eventstore.KeyRecord) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		return rows.Scan(&r.Key.Client, &r.Key.Value, &r.RequestHash, &r.Result, &r.Stream, &r.Version, &r.Position)
	}
}

// SaveSnapshot implements eventstore.Engine.
func (s *EventStore) SaveSnapshot(ctx context.Context, snapshot eventstore.Snapshot) error {
	return s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		return true, tx.exec(`INSERT INTO snapshot (stream, version, event_id, state_schema, data) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (stream) DO UPDATE SET version = excluded.version, event_id = excluded.event_id,
			state_schema = excluded.state_schema, data = excluded.data`,
			snapshot.Stream, snapshot.Version, snapshot.EventID, snapshot.Schema, notNull(snapshot.Data))
	})
}

// LoadSnapshot implements eventstore.Engine.
func (s *EventStore) LoadSnapshot(ctx context.Context, stream string) (snapshot eventstore.Snapshot, err error) {
	found := false
	err = s.db.query(ctx, "SELECT stream, version, event_id, state_schema, data FROM snapshot WHERE stream = ?",
		[]any{stream}, func(rows *sql.Rows) error {
			found = true
			return rows.Scan(&snapshot.Stream, &snapshot.Version, &snapshot.EventID, &snapshot.Schema, &snapshot.Data)
		})
	if err == nil && !found {
		err = eventstore.ErrNoSnapshot
	}
	return snapshot, err
}
