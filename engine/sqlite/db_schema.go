package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// kind is what a file of this package holds.
type kind struct {
	// name is for messages: "event store".
	name string
	// id stands in the file's header, so that no file is taken for another.
	id int64
	// schema[n] leads from version n of the tables to version n+1. A step that
	// has been released is never changed.
	schema []string
	// whole: nothing but this package makes or renames tables of the file, so that
	// all of them have to be there under their names.
	whole bool
	// created fills the tables of a new file, in the transaction that makes them.
	created func(ctx context.Context, conn *sql.Conn) error
}

// prepare makes sure that the file at path is one of kind k, with tables in the
// current version. Until that is known nothing in it is changed: it may be
// somebody else's.
//
// A new file gets its tables before it gets a write-ahead log, and so its id
// stands in the file itself from its first commit on.
func prepare(ctx context.Context, k kind, path string) (err error) {
	mode, err := findFile(path)
	if err != nil {
		return err
	}
	pool, err := newPool(path, mode, 1, []pragma{busyTimeout})
	if err != nil {
		return err
	}
	defer func() { err = withClose(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = withClose(err, conn.Close()) }()
	version, err := inspect(ctx, k, conn)
	if err == nil && version < len(k.schema) {
		err = migrate(ctx, k, conn)
	}
	if err == nil && k.whole {
		err = checkWhole(ctx, k, conn)
	}
	return err
}

// findFile returns the mode in which the file at path can be opened. An empty
// file counts as none.
func findFile(path string) (mode string, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		folder := filepath.Dir(path)
		if _, err := os.Stat(folder); err != nil {
			return "", fmt.Errorf("folder %s cannot be used: %w", folder, err)
		}
		return "rwc", nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is no regular file: choose another name")
	}
	return "rw", nil
}

// inspect returns the version of the tables, 0 for a new file.
func inspect(ctx context.Context, k kind, conn *sql.Conn) (version int, err error) {
	var id int64
	var tables int
	err = conn.QueryRowContext(ctx,
		`SELECT (SELECT application_id FROM pragma_application_id),
		        (SELECT user_version FROM pragma_user_version),
		        (SELECT count(*) FROM sqlite_schema)`).Scan(&id, &version, &tables)
	switch isNew := tables == 0 && id == 0 && version == 0; {
	case err != nil:
		return 0, plain(err)
	case !isNew && id != k.id:
		return 0, fmt.Errorf("it is a SQLite database of something else (application id %#x, not %#x): choose another file",
			id, k.id)
	case version > len(k.schema):
		return 0, fmt.Errorf("its tables have version %d, and this program knows them up to %d: use a newer program",
			version, len(k.schema))
	}
	return version, nil
}

// migrate brings the tables to the current version, or leaves them as they are.
func migrate(ctx context.Context, k kind, conn *sql.Conn) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// An error here changes nothing: the close that follows takes it back too.
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	version, err := inspect(ctx, k, conn) // again, now that nobody can change it
	if err != nil {
		return err
	}
	for n := version; n < len(k.schema); n++ {
		if _, err := conn.ExecContext(ctx, k.schema[n]); err != nil {
			return fmt.Errorf("bring its tables from version %d to %d: %w", n, n+1, err)
		}
	}
	if version == 0 && k.created != nil {
		if err := k.created(ctx, conn); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx,
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", k.id, len(k.schema)))
	return err
}

// hasCode tells whether err is SQLite's with this primary result code.
func hasCode(err error, code int) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

// plain says in plain words what SQLite says of a file that is none of its own.
func plain(err error) error {
	if hasCode(err, sqlite3.SQLITE_NOTADB) {
		return errors.New("it is not a SQLite database: choose another file")
	}
	return err
}
