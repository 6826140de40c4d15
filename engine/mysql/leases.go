package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"passbook/es/checkpoint"
)

// Leases is a checkpoint.Store in the database of a read side: who of several
// may do something to it, and how far it has come. It belongs to no line of a
// read model, and goes on while one is swapped in. Its clock is the server's.
// Safe for concurrent use.
//
// A fence is as durable as the server's commits are: with
// innodb_flush_log_at_trx_commit other than 1 a loss of power may take one back.
type Leases struct{ db *sql.DB }

var _ checkpoint.Store = Leases{}

// Leases returns the leases in the store's database, which are closed with it.
func (s *ProjectionStore) Leases() Leases { return Leases{db: s.updates} }

// held is a row of leases, and the time on the clock by which it was read.
type held struct {
	holder     string
	fence      int64
	until, now int64 // milliseconds since 1970
}

// lockLease locks the row of a lease and reads the clock behind the lock: what a
// holder waited for is not to be taken off its time.
func lockLease(ctx context.Context, tx *sql.Tx, name string) (h held, err error) {
	err = tx.QueryRowContext(ctx, `SELECT holder, fence, until_ms, CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)
		FROM lease WHERE name = ? FOR UPDATE`, name).Scan(&h.holder, &h.fence, &h.until, &h.now)
	return h, err
}

// Acquire implements checkpoint.Store.
func (l Leases) Acquire(
	ctx context.Context, name, holder string, duration time.Duration,
) (lease checkpoint.Lease, err error) {
	err = transact(ctx, l.db, func(tx *sql.Tx) error {
		last, err := lockLease(ctx, tx, name)
		if errors.Is(err, sql.ErrNoRows) {
			// A row that is not there cannot be locked.
			if _, err := tx.ExecContext(ctx, `INSERT INTO lease (name, holder, fence, until_ms) VALUES (?, '', 0, 0)
				ON DUPLICATE KEY UPDATE fence = fence`, name); err != nil {
				return err
			}
			last, err = lockLease(ctx, tx, name)
		}
		switch {
		case err != nil:
			return err
		case last.now < last.until && last.holder != holder:
			return checkpoint.ErrHeld
		}
		lease = checkpoint.Lease{Name: name, Holder: holder, Fence: last.fence + 1}
		_, err = tx.ExecContext(ctx, `UPDATE lease SET holder = ?, fence = ?, until_ms = ? WHERE name = ?`,
			holder, lease.Fence, last.now+milliseconds(duration), name)
		return err
	})
	if err != nil {
		return checkpoint.Lease{}, err
	}
	return lease, nil
}

// milliseconds rounds up.
func milliseconds(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// with runs do in a transaction if the lease is not lost.
func (l Leases) with(ctx context.Context, lease checkpoint.Lease, do func(tx *sql.Tx, current held) error) error {
	return transact(ctx, l.db, func(tx *sql.Tx) error {
		current, err := lockLease(ctx, tx, lease.Name)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return checkpoint.ErrLost
		case err != nil:
			return err
		case current.fence != lease.Fence || current.until == 0:
			return checkpoint.ErrLost
		}
		return do(tx, current)
	})
}

const updateLease = `UPDATE lease SET until_ms = ? WHERE name = ?`

// Renew implements checkpoint.Store.
func (l Leases) Renew(ctx context.Context, lease checkpoint.Lease, duration time.Duration) error {
	return l.with(ctx, lease, func(tx *sql.Tx, current held) error {
		_, err := tx.ExecContext(ctx, updateLease, current.now+milliseconds(duration), lease.Name)
		return err
	})
}

// Release implements checkpoint.Store.
func (l Leases) Release(ctx context.Context, lease checkpoint.Lease) error {
	err := l.with(ctx, lease, func(tx *sql.Tx, _ held) error {
		_, err := tx.ExecContext(ctx, updateLease, 0, lease.Name)
		return err
	})
	if errors.Is(err, checkpoint.ErrLost) {
		return nil
	}
	return err
}

// Save implements checkpoint.Store.
func (l Leases) Save(ctx context.Context, lease checkpoint.Lease, progress []checkpoint.Progress) error {
	return l.with(ctx, lease, func(tx *sql.Tx, _ held) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM progress WHERE reader = ?`, lease.Name); err != nil {
			return err
		}
		if len(progress) == 0 {
			return nil
		}
		var args []any
		for _, p := range progress {
			args = append(args, lease.Name, p.Partition, p.History, p.Topic, p.First, p.Next, p.EventID, p.Position, p.Confirmed)
		}
		//nolint:gosec // only question marks are put together
		_, err := tx.ExecContext(ctx, `INSERT INTO progress
			(reader, partition_no, history, topic, first_offset, next_offset, event_id, position, confirmed)
			VALUES `+rowsOf(len(progress), args), args...)
		return err
	})
}

// Load implements checkpoint.Store.
func (l Leases) Load(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT partition_no, history, topic, first_offset, next_offset, event_id, position, confirmed
		FROM progress WHERE reader = ? ORDER BY partition_no`, reader)
	return collectRows(rows, err, func(row row) (p checkpoint.Progress, err error) {
		err = row.Scan(&p.Partition, &p.History, &p.Topic, &p.First, &p.Next, &p.EventID, &p.Position, &p.Confirmed)
		return p, err
	})
}
