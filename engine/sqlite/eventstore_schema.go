package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// eventStoreKind is what the event store's file is told by: "PBev" in ASCII.
var eventStoreKind = kind{
	name: "event store", id: 0x50426576,
	schema:  []string{eventStoreTables, eventStorePending},
	whole:   true,
	created: beginHistory,
}

// Texts are compared to the byte, SQLite's default. Version and position
// without a gap are the writer's to see to: the indexes only keep two from
// being equal.
const eventStoreTables = `
CREATE TABLE store (
	only    INTEGER PRIMARY KEY CHECK (only = 1),
	history TEXT NOT NULL
) STRICT;

CREATE TABLE event (
	position       INTEGER PRIMARY KEY,
	stream         TEXT    NOT NULL,
	version        INTEGER NOT NULL,
	id             TEXT    NOT NULL,
	category       TEXT    NOT NULL,
	type           TEXT    NOT NULL,
	type_schema    INTEGER NOT NULL,
	time_us        INTEGER NOT NULL, -- microseconds since 1970, UTC
	data           BLOB    NOT NULL, -- as it was written, to the byte
	correlation_id TEXT    NOT NULL,
	causation_id   TEXT    NOT NULL,
	actor          TEXT    NOT NULL,
	trace_parent   TEXT    NOT NULL,
	imported       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_stream_version ON event (stream, version);
CREATE UNIQUE INDEX event_id ON event (id);

CREATE TABLE idempotency_key (
	client       TEXT    NOT NULL,
	value        TEXT    NOT NULL,
	request_hash BLOB    NOT NULL,
	result       BLOB    NOT NULL,
	stream       TEXT    NOT NULL,
	version      INTEGER NOT NULL, -- this and the position: of the commit's last event
	position     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idempotency_key_client_value ON idempotency_key (client, value);

CREATE TABLE snapshot (
	stream       TEXT    NOT NULL UNIQUE,
	version      INTEGER NOT NULL,
	event_id     TEXT    NOT NULL,
	state_schema INTEGER NOT NULL,
	data         BLOB    NOT NULL
) STRICT;
`

// eventStorePending: why the events are not to be served, if they are not.
const eventStorePending = `ALTER TABLE store ADD COLUMN pending TEXT NOT NULL DEFAULT '';`

func beginHistory(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "INSERT INTO store (only, history) VALUES (1, ?)", event.NewID())
	return err
}

// Columns of the tables, in the order in which rows are written and scanned.
const (
	eventColumns = "position, stream, version, id, category, type, type_schema, time_us, data, " +
		"correlation_id, causation_id, actor, trace_parent, imported"
	keyColumns = "client, value, request_hash, result, stream, version, position"
)

func countColumns(columns string) int { return strings.Count(columns, ",") + 1 }

func appendEvent(row []any, e *event.Envelope) []any {
	m := &e.Metadata
	return append(row, e.Position, e.Stream, e.Version, e.ID, e.Category, e.Type.Name, e.Type.Schema,
		e.Time.UnixMicro(), notNull(e.Data),
		m.CorrelationID, m.CausationID, string(m.Actor), m.TraceParent, m.Imported)
}

func appendKey(row []any, r *eventstore.KeyRecord) []any {
	return append(row, r.Key.Client, r.Key.Value, notNull(r.RequestHash), notNull(r.Result),
		r.Stream, r.Version, r.Position)
}

// notNull: a nil slice would be written as NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
