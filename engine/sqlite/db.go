package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// database is an open file. Safe for concurrent use.
type database struct {
	kind    kind
	path    string
	readers *readers
	// file is the open file, to be told from another at its path; nil for a
	// database that is only read.
	file os.FileInfo
	// lock is nil for a database that is only read.
	lock io.Closer

	turn   turn    // taken by the one who writes
	writer *writer // nil: to be opened again
	closed bool
	// committing stands in for the commit in tests; nil otherwise.
	committing func(commit func() error) error
}

// turn is a mutex that can be waited for with a context: who only wants to save
// a snapshot does not wait for a disk that hangs.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits until the turn is free, or ctx ends.
func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// openDatabase opens, and if need be creates, a file for this process alone.
func openDatabase(ctx context.Context, k kind, path string) (_ *database, err error) {
	d := &database{kind: k, path: path, turn: newTurn()}
	if d.path, err = realPath(path); err != nil {
		return nil, d.wrap(err)
	}
	if d.lock, err = lockFile(k, d.path); err != nil {
		return nil, err
	}
	if err = prepare(ctx, k, d.path); err == nil {
		err = d.openWriter(ctx)
	}
	if err == nil {
		d.file, err = os.Stat(d.path)
	}
	if err == nil {
		d.readers, err = openReaders(ctx, d.path, "rw", reading)
	}
	if err != nil {
		return nil, withClose(d.wrap(err), d.close())
	}
	return d, nil
}

// openReadOnly opens an existing file for reading only, also while another
// process writes to it.
func openReadOnly(ctx context.Context, k kind, path string) (*database, error) {
	d := &database{kind: k, path: path, turn: newTurn()}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, d.wrap(err)
	case !info.Mode().IsRegular():
		return nil, d.wrap(errors.New("it is no regular file"))
	}
	if d.readers, err = openReaders(ctx, path, "ro", readOnly); err == nil {
		err = d.readers.inspect(ctx, k)
	}
	if err == nil {
		err = syncLog(path)
	}
	if err != nil {
		return nil, withClose(d.wrap(err), d.close())
	}
	return d, nil
}

// realPath follows links: the lock belongs to the file, not to one of its names.
func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(absolute))
	if err != nil {
		return absolute, fmt.Errorf("folder %s cannot be used: %w", filepath.Dir(absolute), err)
	}
	absolute = filepath.Join(folder, filepath.Base(absolute))
	target, err := filepath.EvalSymlinks(absolute)
	if errors.Is(err, fs.ErrNotExist) {
		return absolute, nil
	}
	return target, err
}

func (d *database) wrap(err error) error {
	return fmt.Errorf("%s %s: %w", d.kind.name, d.path, plain(err))
}

// query runs a query on a connection that reads, and hands its rows to scan.
// The statement is prepared once, so its text must not contain values.
func (d *database) query(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	return d.readers.query(ctx, query, args, scan)
}

var (
	errReadOnly = errors.New("it is open for reading only")
	errClosed   = errors.New("it was closed")
)

// doubtError: the end of a transaction failed, and nobody can say how. What the
// file holds is settled once settle succeeds.
type doubtError struct{ cause error }

// Error names the cause.
func (e *doubtError) Error() string { return "end of transaction: " + e.cause.Error() }

// Unwrap gives the cause.
func (e *doubtError) Unwrap() error { return e.cause }

// write runs do in a transaction, and commits it if do says so. One runs at a
// time. An error other than doubtError means that nothing was changed.
//
// ctx is looked at before the first statement only: an interrupted statement
// may or may not take its transaction along, and none runs for long.
func (d *database) write(ctx context.Context, do func(tx *transaction) (commit bool, err error)) error {
	if err := d.turn.take(ctx); err != nil {
		return err
	}
	defer d.turn.give()
	if err := d.openWriter(ctx); err != nil {
		return err
	}
	err := d.writer.transact(context.WithoutCancel(ctx), do, d.committing)
	if _, ok := errors.AsType[*doubtError](err); ok {
		// The connection has pages in memory that may not be those of the file.
		err = withClose(err, d.writer.close())
		d.writer = nil
	}
	return err
}

// settle makes sure that a transaction of unknown end is in the file, or will
// never be.
func (d *database) settle(ctx context.Context) error {
	if err := d.turn.take(ctx); err != nil {
		return err
	}
	defer d.turn.give()
	return d.openWriter(ctx)
}

// openWriter opens the connection that writes, if there is none. The caller has
// the turn, or the database to itself.
func (d *database) openWriter(ctx context.Context) (err error) {
	switch {
	case d.closed:
		return errClosed
	case d.lock == nil:
		return errReadOnly
	case d.writer == nil:
		d.writer, err = openWriter(ctx, d.path)
	}
	return err
}

// close waits for the one who writes, and lets go of the file.
func (d *database) close() (err error) {
	d.turn <- struct{}{} // closing waits for the one who writes, however long
	defer d.turn.give()
	d.closed = true
	if d.readers != nil {
		err = d.readers.pool.Close()
	}
	if d.writer != nil {
		err = withClose(err, d.writer.close())
	}
	if d.lock != nil {
		err = withClose(err, d.lock.Close())
	}
	d.writer, d.lock = nil, nil
	return err
}

// withClose adds what went wrong at a close to what went wrong before, in one
// line.
func withClose(err, errClose error) error {
	switch {
	case errClose == nil:
		return err
	case err == nil:
		return fmt.Errorf("close: %w", errClose)
	}
	return fmt.Errorf("%w; and close: %w", err, errClose)
}
