package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"strings"

	"passbook/es/event"
)

// schemaNewest is the version of the tables that this program makes.
const schemaNewest = 1

// lineTables are the store's own tables that every line has: see liveNames.
// Names are bytes, so that no collation takes two for one. The queue of a parked
// stream is ordered by version; arrival decides between two events that claim
// the same one. Times are microseconds since 1970, UTC.
//
// A checkpoint that was locked and never saved has a row too, for a row that is
// not there cannot be locked; saved tells the two apart.
//
//nolint:gochecknoglobals // it is never written to
var lineTables = []string{
	`CREATE TABLE IF NOT EXISTS {checkpoint} (
		consumer     VARBINARY(255) NOT NULL,
		partition_no INT            NOT NULL,
		saved        BOOLEAN        NOT NULL,
		history      VARBINARY(255) NOT NULL,
		topic        VARBINARY(255) NOT NULL,
		first_offset BIGINT         NOT NULL,
		next_offset  BIGINT         NOT NULL,
		event_id     VARBINARY(512) NOT NULL,
		position     BIGINT         NOT NULL,
		PRIMARY KEY (consumer, partition_no)
	)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS {parked_stream} (
		consumer VARBINARY(255)  NOT NULL,
		stream   VARBINARY(1024) NOT NULL,
		reason   VARBINARY(32)   NOT NULL,
		version  BIGINT          NOT NULL,
		event_id VARBINARY(512)  NOT NULL,
		error    MEDIUMTEXT      NOT NULL,
		since_us BIGINT          NOT NULL,
		PRIMARY KEY (consumer, stream)
	)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS {parked_event} (
		arrival  BIGINT          NOT NULL AUTO_INCREMENT PRIMARY KEY,
		consumer VARBINARY(255)  NOT NULL,
		stream   VARBINARY(1024) NOT NULL,
		version  BIGINT          NOT NULL,
		event_id VARBINARY(512)  NOT NULL,
		position BIGINT          NOT NULL,
		type     VARBINARY(512)  NOT NULL COMMENT 'with its schema, as it travels',
		time_us  BIGINT          NOT NULL,
		data     LONGBLOB        NOT NULL COMMENT 'as it was written, to the byte',
		metadata MEDIUMTEXT      NOT NULL COMMENT 'as JSON',
		UNIQUE KEY parked_event_by_place (consumer, stream, version, event_id),
		KEY parked_event_by_position (consumer, position)
	)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS {line_number} (
		number BIGINT NOT NULL PRIMARY KEY COMMENT 'the line that these tables are of; no row: there is none'
	)` + tableOptions,
}

// sharedTables belong to no line.
//
//nolint:gochecknoglobals // it is never written to
var sharedTables = []string{
	`CREATE TABLE IF NOT EXISTS discarded_event (
		consumer VARBINARY(255)  NOT NULL,
		stream   VARBINARY(1024) NOT NULL,
		version  BIGINT          NOT NULL,
		event_id VARBINARY(512)  NOT NULL,
		reason   TEXT            NOT NULL,
		by_whom  TEXT            NOT NULL COMMENT 'empty: without authentication',
		at_us    BIGINT          NOT NULL,
		position BIGINT          NOT NULL COMMENT 'of the event in the store; 0 where it was not in the queue',
		PRIMARY KEY (consumer, stream, version, event_id),
		KEY discarded_event_by_position (consumer, position)
	)` + tableOptions,
	// Every line that ever was, so that no id comes twice.
	`CREATE TABLE IF NOT EXISTS line (
		number BIGINT         NOT NULL AUTO_INCREMENT PRIMARY KEY,
		id     VARBINARY(255) NOT NULL UNIQUE,
		tables MEDIUMTEXT     NOT NULL COMMENT 'those of the model, by their live names, as JSON'
	)` + tableOptions,
	// Whose read side it is, in one row: see Claim.
	`CREATE TABLE IF NOT EXISTS read_side (
		only_one TINYINT        NOT NULL PRIMARY KEY,
		owner    VARBINARY(255) NOT NULL
	)` + tableOptions,
	// Every transaction reads one of the two first: see lines_gate.go.
	`CREATE TABLE IF NOT EXISTS write_gate (nothing BIGINT NOT NULL PRIMARY KEY)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS read_gate (nothing BIGINT NOT NULL PRIMARY KEY)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS lease (
		name     VARBINARY(255) NOT NULL PRIMARY KEY,
		holder   VARBINARY(255) NOT NULL,
		fence    BIGINT         NOT NULL COMMENT 'stays when the holder is gone: the next counts on',
		until_ms BIGINT         NOT NULL COMMENT 'milliseconds since 1970; 0 once it was given back'
	)` + tableOptions,
	`CREATE TABLE IF NOT EXISTS progress (
		reader       VARBINARY(255) NOT NULL,
		partition_no INT            NOT NULL,
		history      VARBINARY(255) NOT NULL,
		topic        VARBINARY(255) NOT NULL,
		first_offset BIGINT         NOT NULL,
		next_offset  BIGINT         NOT NULL,
		event_id     VARBINARY(512) NOT NULL,
		position     BIGINT         NOT NULL,
		confirmed    BIGINT         NOT NULL,
		PRIMARY KEY (reader, partition_no)
	)` + tableOptions,
}

const tableOptions = ` ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = ` + collation

// makeTables makes the store's own tables, or finds them. Several processes may
// do so at once: one does, the others wait for it. A step that was cut off is
// done again, for no statement of it minds what is there already.
func (s *ProjectionStore) makeTables(ctx context.Context) error {
	return s.alone(ctx, func(conn *sql.Conn) error {
		var has int
		if _, err := conn.ExecContext(ctx,
			`CREATE TABLE IF NOT EXISTS projection_schema (version INT NOT NULL PRIMARY KEY)`+tableOptions); err != nil {
			return err
		}
		err := conn.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM projection_schema`).Scan(&has)
		switch {
		case err != nil:
			return err
		case has > schemaNewest:
			return fmt.Errorf("its tables have version %d, and this program knows up to %d: use a newer one", has, schemaNewest)
		case has == schemaNewest:
			return nil
		}
		if err := execAll(ctx, conn, liveNames, lineTables); err != nil {
			return err
		}
		if err := execAll(ctx, conn, liveNames, sharedTables); err != nil {
			return err
		}
		if err := execAll(ctx, conn, nextNames, lineTables[len(lineTables)-1:]); err != nil {
			return err
		}
		if err := firstLine(ctx, conn); err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, `INSERT INTO projection_schema (version) VALUES (?)`, schemaNewest)
		return err
	})
}

// firstLine gives the live line an id, unless it has one.
func firstLine(ctx context.Context, conn *sql.Conn) error {
	return transact(ctx, conn, func(tx *sql.Tx) error {
		var has bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM line_number)`).Scan(&has)
		if err != nil || has {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO line (id, tables) VALUES (?, '[]')`, event.NewID())
		if err != nil {
			return err
		}
		number, err := result.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO line_number (number) VALUES (?)`, number)
		return err
	})
}

func execAll(ctx context.Context, conn *sql.Conn, names *strings.Replacer, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, names.Replace(statement)); err != nil {
			return err
		}
	}
	return nil
}

// turnWait is for how many seconds a turn is asked for at once.
const turnWait = 5

// alone runs fn while no other process makes tables in this database. It gives
// fn the connection that has the turn: as long as that one answers, the turn is
// ours. The connection is closed behind it, with everything that it has locked.
func (s *ProjectionStore) alone(ctx context.Context, fn func(conn *sql.Conn) error) error {
	return s.withConn(ctx, func(conn *sql.Conn) error {
		for {
			var got sql.NullInt64
			// The names of such locks belong to the whole server, and are short.
			err := conn.QueryRowContext(ctx,
				`SELECT GET_LOCK(CONCAT('passbook.tables.', LEFT(SHA2(DATABASE(), 256), 32)), ?)`, turnWait).Scan(&got)
			if err != nil {
				return err
			}
			if got.Int64 == 1 {
				return fn(conn)
			}
		}
	})
}

// withConn gives fn a connection for operations on whole tables, and closes it.
func (s *ProjectionStore) withConn(ctx context.Context, fn func(conn *sql.Conn) error) error {
	conn, err := s.whole.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// What it holds would hold up others, whatever has become of ctx: the
		// pool closes a connection that is said to be bad. Locks of tables are
		// let go first, since the server may notice the end a moment later.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `UNLOCK TABLES`)
		_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	}()
	return fn(conn)
}
