package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"time"

	"passbook/es/checkpoint"
)

// Leases is a checkpoint.Store in the file of a read side: who of several may
// do something to it, and how far it has come. It belongs to no line of a read
// model. Its clock is the machine's. Safe for concurrent use.
type Leases struct{ store *ProjectionStore }

var _ checkpoint.Store = Leases{}

// Leases returns the leases in the store's file, which are closed with it. Of a
// store that is open for reading only, there is only Load.
func (s *ProjectionStore) Leases() Leases { return Leases{store: s} }

func leaseIn(ctx context.Context, tx *sql.Tx, name string) (h held, err error) {
	err = tx.QueryRowContext(ctx, selectLease, name).Scan(&h.holder, &h.fence, &h.until, &h.now)
	return h, err
}

// Acquire implements checkpoint.Store. It waits for the disk, also where other
// commits do not: a fence that a loss of power takes back would be given twice.
func (l Leases) Acquire(
	ctx context.Context, name, holder string, duration time.Duration,
) (lease checkpoint.Lease, err error) {
	err = l.store.durably(ctx, func(tx *sql.Tx) error {
		last, err := leaseIn(ctx, tx, name)
		switch {
		case err != nil:
			return err
		case last.now < last.until && last.holder != holder:
			return checkpoint.ErrHeld
		}
		lease = checkpoint.Lease{Name: name, Holder: holder, Fence: last.fence + 1}
		_, err = tx.ExecContext(ctx, `INSERT INTO lease (name, holder, fence, until_ms) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until_ms = excluded.until_ms`,
			name, holder, lease.Fence, last.now+milliseconds(duration))
		return err
	})
	if err != nil {
		return checkpoint.Lease{}, err
	}
	return lease, nil
}

// durably is Update with a commit that waits for the disk, on a connection that
// is set so for this once.
func (s *ProjectionStore) durably(ctx context.Context, fn func(tx *sql.Tx) error) (err error) {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = withClose(err, conn.Close()) }()
	var before string
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&before); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	defer func() {
		// Whatever has become of ctx: the connection goes back to the pool.
		if _, back := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = "+before); back != nil {
			_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn }) // or rather does not
		}
	}()
	return transact(ctx, conn, fn)
}

// with runs do in a transaction if the lease is not lost.
func (l Leases) with(ctx context.Context, lease checkpoint.Lease, do func(tx *sql.Tx, current held) error) error {
	return l.store.Update(ctx, func(tx *sql.Tx) error {
		current, err := leaseIn(ctx, tx, lease.Name)
		switch {
		case err != nil:
			return err
		case current.fence != lease.Fence || current.until == 0:
			return checkpoint.ErrLost
		}
		return do(tx, current)
	})
}

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
		if _, err := tx.ExecContext(ctx, "DELETE FROM progress WHERE reader = ?", lease.Name); err != nil {
			return err
		}
		for _, p := range progress {
			_, err := tx.ExecContext(ctx, `INSERT INTO progress
				(reader, partition, history, topic, first, next, event_id, position, confirmed)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				lease.Name, p.Partition, p.History, p.Topic, p.First, p.Next, p.EventID, p.Position, p.Confirmed)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Load implements checkpoint.Store.
func (l Leases) Load(ctx context.Context, reader string) (progress []checkpoint.Progress, err error) {
	err = l.store.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT partition, history, topic, first, next, event_id, position, confirmed
			FROM progress WHERE reader = ? ORDER BY partition`, reader)
		progress, err = collectRows(rows, err, func(row projectionRow) (p checkpoint.Progress, err error) {
			err = row.Scan(&p.Partition, &p.History, &p.Topic, &p.First, &p.Next, &p.EventID, &p.Position, &p.Confirmed)
			return p, err
		})
		return err
	})
	return progress, err
}
