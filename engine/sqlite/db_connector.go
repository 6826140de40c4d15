package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"strings"

	driver "modernc.org/sqlite"
)

// pragma is a setting of a connection: as it is made, and as SQLite tells it
// when it is in force.
type pragma struct{ name, value, inForce string }

// busyTimeout is how long a connection waits for a lock. Within the process
// there is one writer; but a read-only process, or a person with a shell, may
// stand in the way of a checkpoint for a moment.
var busyTimeout = pragma{"busy_timeout", "5000", "5000"}

// readOnly are the settings of a connection that only reads, in any file.
var readOnly = []pragma{
	busyTimeout,
	{"query_only", "1", "1"},
	{"trusted_schema", "0", "0"},
}

// writing are the settings of the connection that writes. mmap stays off: an
// I/O error on mapped memory ends the process, where a failing read only fails.
var writing = []pragma{
	busyTimeout,
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"}, // every commit reaches the disk before it is told
	{"fullfsync", "1", "1"},      // … also on systems where fsync stops at the disk's cache
	{"checkpoint_fullfsync", "1", "1"},
	{"foreign_keys", "1", "1"},
	{"trusted_schema", "0", "0"},
	{"temp_store", "MEMORY", "2"},      // statements of many rows remember old pages: not in a file
	{"cache_size", "-32768", "-32768"}, // 32 MiB: the upper pages of the indexes stay in memory
	{"journal_size_limit", "67108864", "67108864"},
}

// reading are the settings of the pool beside it.
var reading = append([]pragma{
	{"journal_mode", "WAL", "wal"},
	{"foreign_keys", "1", "1"},
	{"cache_size", "-8192", "-8192"},
}, readOnly...)

// poolSize is how many connections read at once.
func poolSize() int { return max(4, runtime.GOMAXPROCS(0)) }

// connector opens connections with settings, and refuses one on which they are
// not in force: SQLite passes over a misspelt or refused setting in silence.
type connector struct {
	sqldriver.Connector
	pragmas []pragma
}

// newPool returns a pool of connections to the file at path. mode is one of
// SQLite's: ro, rw, rwc.
func newPool(path, mode string, size int, pragmas []pragma) (*sql.DB, error) {
	query := url.Values{"mode": {mode}, "_dqs": {"0"}}
	for _, p := range pragmas {
		query.Add("_pragma", p.name+"("+p.value+")")
	}
	// The path is escaped: a question mark in it would begin the settings.
	dsn := "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "?" + query.Encode()
	base, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{Connector: base, pragmas: pragmas})
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// Connect opens a connection and reads its settings back.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range c.pragmas {
		if err := check(ctx, conn, p); err != nil {
			return nil, withClose(err, conn.Close())
		}
	}
	return conn, nil
}

func check(ctx context.Context, conn sqldriver.Conn, p pragma) error {
	queryer, ok := conn.(sqldriver.QueryerContext)
	if !ok {
		return errors.New("the driver cannot query a connection")
	}
	rows, err := queryer.QueryContext(ctx, "PRAGMA "+p.name, nil)
	if err != nil {
		return fmt.Errorf("read setting %s: %w", p.name, err)
	}
	value := make([]sqldriver.Value, 1)
	err = rows.Next(value)
	if errClose := rows.Close(); err == nil {
		err = errClose
	}
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("setting %s is unknown to this SQLite", p.name)
	case err != nil:
		return fmt.Errorf("read setting %s: %w", p.name, err)
	case fmt.Sprint(value[0]) != p.inForce:
		return fmt.Errorf("setting %s is %v, and must be %s", p.name, value[0], p.inForce)
	}
	return nil
}
