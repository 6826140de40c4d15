package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"passbook/es/checkpoint"
)

// ProjectionStore is a projection.Lines in a SQLite file, beside the rows of
// the model. Safe for concurrent use.
//
// There is one writer at a time in a file, so that every lock of the contract
// is the one that BEGIN IMMEDIATE takes.
type ProjectionStore struct {
	db    *sql.DB
	names *strings.Replacer
	// turn holds one element while a transaction writes. Those that wait go on
	// at once when it ends, where SQLite's own way is to look again now and
	// then.
	turn
	// removing is called before each step of a removal, in tests; nil otherwise.
	removing func() error
}

// OpenProjectionStore opens the read side in the file at path, and creates it
// if there is none; the folder has to be there. The file belongs to this
// process until Close: a second process is refused, by a lock on the file
// path.lock.
//
// An error is one line: the file is in use, is no read side, was written by a
// newer program, or cannot be opened or written.
func OpenProjectionStore(ctx context.Context, path string, durability Durability) (*ProjectionStore, error) {
	db, err := openReadSide(ctx, path, durability)
	if err != nil {
		return nil, err
	}
	s := newProjectionStore(db)
	if err := s.removeOld(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s: remove what is left of an old line: %w", readSideKind.name, path, err), db.Close())
	}
	return s, nil
}

// OpenProjectionStoreReadOnly opens an existing read side for reading, also
// while another process writes to it. Update fails.
func OpenProjectionStoreReadOnly(ctx context.Context, path string) (*ProjectionStore, error) {
	db, err := openReadSideReadOnly(ctx, path)
	if err != nil {
		return nil, err
	}
	return newProjectionStore(db), nil
}

func newProjectionStore(db *sql.DB) *ProjectionStore {
	return &ProjectionStore{db: db, names: projectionNames, turn: newTurn()}
}

// DB returns the connections to the file, for the tables of the model and the
// queries on them. Its transactions begin with BEGIN IMMEDIATE, unless they are
// opened as read-only. application_id, user_version and the tables checkpoint,
// parked_stream, parked_event, discarded_event, line, lease and progress are the
// store's own, and so are names that begin with next_ or old_.
func (s *ProjectionStore) DB() *sql.DB { return s.db }

// Close closes the connections, those of DB too, and lets go of the file.
func (s *ProjectionStore) Close() error { return s.db.Close() }

// Update implements projection.Store. A statement that the end of ctx has
// interrupted may have taken the transaction along; either way it is rolled
// back.
func (s *ProjectionStore) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	return transact(ctx, s.db, fn)
}

// transact runs fn in a transaction that writes, on a pool or one connection.
func transact(ctx context.Context, on interface {
	BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error)
}, fn func(tx *sql.Tx) error,
) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing once it is committed
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// View implements projection.Store. It waits for nobody.
func (s *ProjectionStore) View(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	return fn(tx)
}

const progressColumns = `partition, history, topic, first, next, event_id, position`

// LockCheckpoints implements projection.Store. The transaction has the lock from
// its beginning.
func (s *ProjectionStore) LockCheckpoints(
	ctx context.Context, tx *sql.Tx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	all := make([]checkpoint.Progress, 0, len(partitions))
	for _, partition := range partitions {
		row := tx.QueryRowContext(ctx, s.names.Replace(
			`SELECT `+progressColumns+` FROM {checkpoint} WHERE consumer = ? AND partition = ?`), consumer, partition)
		progress, err := scanProgress(row)
		if errors.Is(err, sql.ErrNoRows) {
			progress, err = checkpoint.Progress{Partition: partition}, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, progress)
	}
	return all, nil
}

// SaveCheckpoints implements projection.Store.
func (s *ProjectionStore) SaveCheckpoints(
	ctx context.Context, tx *sql.Tx, consumer string, progress ...checkpoint.Progress,
) error {
	for _, p := range progress {
		if _, err := tx.ExecContext(ctx, s.names.Replace(`
			INSERT INTO {checkpoint} (consumer, `+progressColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (consumer, partition) DO UPDATE SET
				history = excluded.history, topic = excluded.topic, first = excluded.first, next = excluded.next,
				event_id = excluded.event_id, position = excluded.position`),
			consumer, p.Partition, p.History, p.Topic, p.First, p.Next, p.EventID, p.Position); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoints implements projection.Store.
func (s *ProjectionStore) Checkpoints(
	ctx context.Context, tx *sql.Tx, consumer string,
) ([]checkpoint.Progress, error) {
	rows, err := tx.QueryContext(ctx, s.names.Replace(
		`SELECT `+progressColumns+` FROM {checkpoint} WHERE consumer = ? ORDER BY partition`), consumer)
	return collectRows(rows, err, scanProgress)
}

func scanProgress(row projectionRow) (p checkpoint.Progress, err error) {
	err = row.Scan(&p.Partition, &p.History, &p.Topic, &p.First, &p.Next, &p.EventID, &p.Position)
	return p, err
}

// projectionRow is a *sql.Row or *sql.Rows.
type projectionRow interface{ Scan(dest ...any) error }

// collectRows scans every row of a query and closes it.
func collectRows[T any](rows *sql.Rows, err error, scan func(projectionRow) (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error, if there is one
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
