package sqlite

import "strings"

// projectionNames puts the names of the tables into a statement. They stand in
// one place because each line of a read model has tables of its own, so that
// one can be built beside another.
var projectionNames = strings.NewReplacer(
	"{checkpoint}", "checkpoint",
	"{parked_stream}", "parked_stream",
	"{parked_event}", "parked_event",
)

// projectionTables are the store's own tables. The queue of a parked stream is
// ordered by version; arrival decides between two events that claim the same
// one. Times are microseconds since 1970, UTC.
const projectionTables = `
CREATE TABLE {checkpoint} (
	consumer  TEXT    NOT NULL,
	partition INTEGER NOT NULL,
	history   TEXT    NOT NULL,
	topic     TEXT    NOT NULL,
	first     INTEGER NOT NULL,
	next      INTEGER NOT NULL,
	event_id  TEXT    NOT NULL,
	position  INTEGER NOT NULL,
	PRIMARY KEY (consumer, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE {parked_stream} (
	consumer TEXT    NOT NULL,
	stream   TEXT    NOT NULL,
	reason   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	event_id TEXT    NOT NULL,
	error    TEXT    NOT NULL,
	since_us INTEGER NOT NULL,
	PRIMARY KEY (consumer, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE {parked_event} (
	arrival  INTEGER PRIMARY KEY AUTOINCREMENT,
	consumer TEXT    NOT NULL,
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	event_id TEXT    NOT NULL,
	position INTEGER NOT NULL,
	type     TEXT    NOT NULL, -- with its schema, as it travels
	time_us  INTEGER NOT NULL,
	data     BLOB    NOT NULL, -- as it was written, to the byte
	metadata TEXT    NOT NULL, -- as JSON
	UNIQUE (consumer, stream, version, event_id)
) STRICT;
`
