package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	driver "modernc.org/sqlite"
)

// readSideKind is what the file of a read side is told by: "PBrs" in ASCII.
var readSideKind = kind{
	name: "read side", id: 0x50427273,
	schema: []string{projectionNames.Replace(projectionTables), discardedTable + lineTable + checkpointTables},
}

// Durability says what a loss of power may do to a database; nothing else that
// can happen to a process or its machine takes back what was committed.
type Durability int

const (
	// Rebuildable: the last transactions may be taken back, each whole and with
	// its checkpoint, so that their events are applied once more. Commits do
	// not wait for the disk. It is for what can be built again.
	Rebuildable Durability = iota
	// Durable: what was committed stays. Every commit waits for the disk.
	Durable
)

func (d Durability) pragmas() []pragma {
	settings := []pragma{
		busyTimeout,
		{"journal_mode", "WAL", "wal"},
		{"foreign_keys", "1", "1"},
		{"trusted_schema", "0", "0"},
		{"journal_size_limit", "67108864", "67108864"},
	}
	if d == Durable {
		return append(settings,
			pragma{"synchronous", "FULL", "2"},
			pragma{"fullfsync", "1", "1"},
			pragma{"checkpoint_fullfsync", "1", "1"})
	}
	return append(settings, pragma{"synchronous", "NORMAL", "1"})
}

// openReadSide opens, and if need be creates, the file of a read side for this
// process alone. Closing the pool lets go of it.
func openReadSide(ctx context.Context, path string, durability Durability) (*sql.DB, error) {
	path, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", readSideKind.name, path, err)
	}
	lock, err := lockFile(readSideKind, path)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, readSideKind, path); err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s: %w", readSideKind.name, path, err), lock.Close())
	}
	// The path is escaped: a question mark in it would begin the settings.
	query := url.Values{"mode": {"rw"}, "_dqs": {"0"}, "_txlock": {"immediate"}}
	for _, p := range durability.pragmas() {
		query.Add("_pragma", p.name+"("+p.value+")")
	}
	base, err := driver.NewConnector("file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "?" + query.Encode())
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	db := sql.OpenDB(lockedConnector{
		connector: connector{Connector: base, pragmas: durability.pragmas()}, lock: lock,
	})
	// One more than read at once, so that readers do not keep the writer out.
	db.SetMaxOpenConns(poolSize() + 1)
	db.SetMaxIdleConns(poolSize() + 1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s: %w", readSideKind.name, path, err), db.Close())
	}
	return db, nil
}

// lockedConnector holds the lock of a file for as long as its pool is open.
type lockedConnector struct {
	connector
	lock io.Closer
}

// Close is called by sql.DB.Close, after the last connection was closed.
func (c lockedConnector) Close() error { return c.lock.Close() }

// openReadSideReadOnly opens an existing file for reading, also while another
// process writes to it.
func openReadSideReadOnly(ctx context.Context, path string) (*sql.DB, error) {
	wrap := func(err error) error { return fmt.Errorf("%s %s: %w", readSideKind.name, path, err) }
	if _, err := os.Stat(path); err != nil {
		return nil, wrap(err)
	}
	db, err := newPool(path, "ro", poolSize(), readOnly)
	if err != nil {
		return nil, wrap(err)
	}
	if err := (&readers{pool: db}).inspect(ctx, readSideKind); err != nil {
		return nil, errors.Join(wrap(err), db.Close())
	}
	return db, nil
}
