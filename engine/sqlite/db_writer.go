package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// writer is the one connection that writes.
type writer struct {
	pool *sql.DB
	conn *sql.Conn
	stmt map[string]*sql.Stmt
}

func openWriter(ctx context.Context, path string) (*writer, error) {
	w := &writer{stmt: make(map[string]*sql.Stmt)}
	var err error
	if w.pool, err = newPool(path, "rw", 1, writing); err == nil {
		w.conn, err = w.pool.Conn(ctx)
	}
	if err == nil {
		err = w.settle(ctx, path)
	}
	if err != nil {
		return nil, withClose(err, w.close())
	}
	return w, nil
}

var errLogInUse = errors.New("its write-ahead log cannot be carried over while another program reads: stop that one")

// settle carries over what is in the write-ahead log and empties it. The log of
// a process that died may hold transactions that never reached the disk: they
// would be seen now, and be gone after the next power cut. And a transaction
// whose commit failed may be in the log, unseen, to come back with a recovery.
// After this, what is in the file stays, and what is not will not come.
func (w *writer) settle(ctx context.Context, path string) error {
	var busy, inLog, carried int
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &carried)
	switch {
	case err != nil:
		return fmt.Errorf("carry over its write-ahead log: %w", err)
	case busy != 0:
		return errLogInUse
	}
	return syncLog(path)
}

// syncLog makes the write-ahead log durable as it is. SQLite does so with the
// next commit only.
func syncLog(path string) error {
	f, err := os.Open(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return withClose(f.Sync(), f.Close())
}

// close rolls back what is not committed.
func (w *writer) close() (err error) {
	for _, stmt := range w.stmt { // database/sql keeps no account of what one connection has prepared
		err = withClose(err, stmt.Close())
	}
	if w.conn != nil {
		err = withClose(err, w.conn.Close())
	}
	if w.pool != nil {
		err = withClose(err, w.pool.Close())
	}
	return err
}

// transaction is the writing connection between BEGIN and COMMIT.
type transaction struct {
	*writer
	ctx context.Context //nolint:containedctx // as long as the transaction
}

func (w *writer) transact(
	ctx context.Context, do func(*transaction) (bool, error), committing func(func() error) error,
) error {
	tx := &transaction{writer: w, ctx: ctx}
	if err := tx.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	commit, err := do(tx)
	if err != nil || !commit {
		if errBack := tx.exec("ROLLBACK"); errBack != nil {
			return &doubtError{cause: errors.Join(err, errBack)}
		}
		return err
	}
	end := func() error { return tx.exec("COMMIT") }
	if committing != nil {
		err = committing(end)
	} else {
		err = end()
	}
	if err != nil {
		return &doubtError{cause: err}
	}
	return nil
}

// exec and query prepare each text once: it must not contain values.
func (tx *transaction) exec(statement string, args ...any) error {
	stmt, err := tx.prepared(statement)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(tx.ctx, args...)
	return err
}

func (tx *transaction) query(query string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := tx.prepared(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(tx.ctx, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

func (tx *transaction) prepared(statement string) (*sql.Stmt, error) {
	if stmt, ok := tx.stmt[statement]; ok {
		return stmt, nil
	}
	stmt, err := tx.conn.PrepareContext(tx.ctx, statement)
	if err != nil {
		return nil, err
	}
	tx.stmt[statement] = stmt
	return stmt, nil
}
