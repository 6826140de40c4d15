package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// ProjectionStore is a projection.Lines in a MySQL database, beside the rows of
// the model. Any number of processes may have one on the same database. Safe for
// concurrent use.
//
// A database holds one read side: its lines are swapped as a whole.
//
// A transaction that the server ended, to break a deadlock or because it waited
// too long for a lock, comes back as an error, with nothing of it left; it is
// the caller who tries again.
type ProjectionStore struct {
	// db is for queries, updates for transactions that write: many who ask at once
	// use up the connections of their pool, and nobody who writes waits for them.
	// whole is for operations on whole tables, which give up waiting for one soon,
	// so that nobody waits long behind them.
	db, updates, whole *sql.DB
	names              *strings.Replacer
}

var _ projection.Lines[*sql.Tx] = (*ProjectionStore)(nil)

// How many connections there are for queries and for transactions that write. All
// that were opened are kept: to open one takes as long as several transactions,
// and the statements that were prepared on it go with it.
const (
	queriesMax = 32
	updatesMax = 16
)

// versionMin is the oldest server whose SQL is enough: VALUES ROW.
const versionMin = "8.0.19"

// OpenProjectionStore opens the read side in the database at
// mysql://user:password@host:port/database, and makes its tables where they are
// not there; the database has to be. With ?tls=true (or skip-verify, preferred)
// behind it, the connection is encrypted.
//
// An error is one line, without the password: the address cannot be understood,
// the server cannot be reached or refuses, is too old or no MySQL, or a newer
// program has changed the tables. Passing tells which of them may pass.
func OpenProjectionStore(ctx context.Context, address string) (*ProjectionStore, error) {
	return open(ctx, address, (*ProjectionStore).makeTables)
}

func open(ctx context.Context, address string, tables func(*ProjectionStore, context.Context) error) (*ProjectionStore, error) {
	config, err := parseAddress(address)
	if err != nil {
		return nil, fmt.Errorf("address of the MySQL read side: %w", err)
	}
	wrap := func(err error) error {
		return fmt.Errorf("read side mysql://%s/%s: %w", config.Addr, config.DBName, err)
	}
	s := &ProjectionStore{names: liveNames}
	for _, pool := range []struct {
		db       **sql.DB
		lockWait string
		max      int // 0: any number, of which none is kept
	}{{&s.db, lockWait, queriesMax}, {&s.updates, lockWait, updatesMax}, {&s.whole, "1", 0}} {
		db, err := newPool(config, settings(pool.lockWait))
		if err != nil {
			return nil, wrap(withClose(err, s.Close()))
		}
		db.SetMaxOpenConns(pool.max)
		db.SetMaxIdleConns(pool.max)
		*pool.db = db
	}
	if err := s.checkServer(ctx); err != nil {
		return nil, wrap(withClose(err, s.Close()))
	}
	if err := tables(s, ctx); err != nil {
		return nil, wrap(withClose(err, s.Close()))
	}
	return s, nil
}

// withClose keeps an error in one line: that of closing what failed says nothing.
func withClose(err, closing error) error {
	if err == nil {
		return closing
	}
	return err
}

// checkServer wants a server whose SQL is enough.
func (s *ProjectionStore) checkServer(ctx context.Context) error {
	var version string
	if err := s.db.QueryRowContext(ctx, `SELECT VERSION()`).Scan(&version); err != nil {
		return err
	}
	if strings.Contains(version, "MariaDB") {
		return fmt.Errorf("the server is %s: want MySQL %s or newer", version, versionMin)
	}
	var has, want [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &has[0], &has[1], &has[2]); err != nil {
		return fmt.Errorf("the server's version is %q: want MySQL %s or newer", version, versionMin)
	}
	_, _ = fmt.Sscanf(versionMin, "%d.%d.%d", &want[0], &want[1], &want[2]) // a constant
	for i := range want {
		if has[i] != want[i] {
			if has[i] < want[i] {
				return fmt.Errorf("the server is MySQL %s: want %s or newer", version, versionMin)
			}
			break
		}
	}
	return nil
}

// DB returns the connections to the database, for the tables of the model and
// the queries on them. Their transactions are READ COMMITTED unless they ask for
// something else, their time zone is UTC, and texts are compared as their
// columns say.
//
// A transaction on them that reads two tables of a line may be ended by the
// server with a deadlock while a line is swapped in: who begins one tries again.
//
// The tables checkpoint, parked_stream, parked_event, discarded_event, line,
// line_number, read_side, write_gate, read_gate, lease, progress and projection_schema are
// the store's own, and so are names that begin with next_, old_ or spare_.
func (s *ProjectionStore) DB() *sql.DB { return s.db }

// Close closes the connections, those of DB too.
func (s *ProjectionStore) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.db, s.updates, s.whole} {
		if db != nil { // it was opened
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Update implements projection.Store. Locks are those of rows; a transaction
// waits for a row for 20 seconds at most.
func (s *ProjectionStore) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return transact(ctx, s.updates, func(tx *sql.Tx) error {
		if err := pass(ctx, tx, "write_gate"); err != nil {
			return err
		}
		return fn(tx)
	})
}

// beginner is a pool, or one connection of it.
type beginner interface {
	BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error)
}

// transact runs fn in a transaction, which is committed when it returns nil.
func transact(ctx context.Context, on beginner, fn func(tx *sql.Tx) error) error {
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

// View implements projection.Store. It waits for no transaction; only while a
// line is swapped in, for that.
func (s *ProjectionStore) View(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	if err := pass(ctx, tx, "read_gate"); err != nil {
		return err
	}
	return fn(tx)
}

const progressColumns = `partition_no, history, topic, first_offset, next_offset, event_id, position`

// LockCheckpoints implements projection.Store. Where there is no row yet, one is
// put there, for it to be locked.
func (s *ProjectionStore) LockCheckpoints(
	ctx context.Context, tx *sql.Tx, consumer string, partitions ...int32,
) ([]checkpoint.Progress, error) {
	all, err := s.lockRows(ctx, tx, consumer, partitions)
	if err != nil || len(all) == len(partitions) {
		return all, err
	}
	none := make([]checkpoint.Progress, len(partitions))
	for i, partition := range partitions {
		none[i].Partition = partition
	}
	args := checkpointRows(consumer, false, none)
	if _, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO {checkpoint} (consumer, saved, `+progressColumns+`) VALUES `+rowsOf(len(none), args)+`
		ON DUPLICATE KEY UPDATE saved = saved`), args...); err != nil {
		return nil, err
	}
	return s.lockRows(ctx, tx, consumer, partitions)
}

// lockRows locks those that are there, in the order of the primary key.
func (s *ProjectionStore) lockRows(
	ctx context.Context, tx *sql.Tx, consumer string, partitions []int32,
) ([]checkpoint.Progress, error) {
	rows, err := tx.QueryContext(ctx, s.names.Replace(
		`SELECT `+progressColumns+` FROM {checkpoint} FORCE INDEX (PRIMARY)
		WHERE consumer = ? AND partition_no IN `+listOf(len(partitions))+` ORDER BY partition_no FOR UPDATE`),
		with(consumer, partitions)...)
	return collectRows(rows, err, scanProgress)
}

// SaveCheckpoints implements projection.Store.
func (s *ProjectionStore) SaveCheckpoints(
	ctx context.Context, tx *sql.Tx, consumer string, progress ...checkpoint.Progress,
) error {
	args := checkpointRows(consumer, true, progress)
	_, err := tx.ExecContext(ctx, s.names.Replace(`
		INSERT INTO {checkpoint} (consumer, saved, `+progressColumns+`) VALUES `+rowsOf(len(progress), args)+` AS new
		ON DUPLICATE KEY UPDATE saved = TRUE, history = new.history, topic = new.topic, first_offset = new.first_offset,
			next_offset = new.next_offset, event_id = new.event_id, position = new.position`), args...)
	return err
}

// checkpointRows is progress as the nine columns of each row.
func checkpointRows(consumer string, saved bool, progress []checkpoint.Progress) []any {
	args := make([]any, 0, 9*len(progress))
	for _, p := range progress {
		args = append(args, consumer, saved, p.Partition, p.History, p.Topic, p.First, p.Next, p.EventID, p.Position)
	}
	return args
}

// Checkpoints implements projection.Store.
func (s *ProjectionStore) Checkpoints(
	ctx context.Context, tx *sql.Tx, consumer string,
) ([]checkpoint.Progress, error) {
	rows, err := tx.QueryContext(ctx, s.names.Replace(
		`SELECT `+progressColumns+` FROM {checkpoint} WHERE consumer = ? AND saved ORDER BY partition_no`), consumer)
	return collectRows(rows, err, scanProgress)
}

func scanProgress(row row) (p checkpoint.Progress, err error) {
	err = row.Scan(&p.Partition, &p.History, &p.Topic, &p.First, &p.Next, &p.EventID, &p.Position)
	return p, err
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// collectRows scans every row of a query and closes it.
func collectRows[T any](rows *sql.Rows, err error, scan func(row) (T, error)) (all []T, _ error) {
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
