package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"passbook/es/checkpoint"
)

// Checkpoints is a checkpoint.Store in the file of an event store: who reads
// the store keeps its place beside it, and a back-up takes both. Its clock is
// the machine's. It writes on the event store's one writing connection, between
// two groups of commits. Safe for concurrent use.
type Checkpoints struct{ db *database }

var _ checkpoint.Store = (*Checkpoints)(nil)

const checkpointTables = `
CREATE TABLE IF NOT EXISTS lease (
	name     TEXT    PRIMARY KEY,
	holder   TEXT    NOT NULL,
	fence    INTEGER NOT NULL, -- stays when the holder is gone: the next counts on
	until_ms INTEGER NOT NULL  -- milliseconds since 1970; 0 once it was given back
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS progress (
	reader    TEXT    NOT NULL,
	partition INTEGER NOT NULL,
	history   TEXT    NOT NULL,
	topic     TEXT    NOT NULL,
	first     INTEGER NOT NULL,
	next      INTEGER NOT NULL,
	event_id  TEXT    NOT NULL,
	position  INTEGER NOT NULL,
	confirmed INTEGER NOT NULL,
	PRIMARY KEY (reader, partition)
) STRICT, WITHOUT ROWID;
`

// Checkpoints returns the checkpoints in the store's file, which are closed
// with it. Of a store that is open for reading only, there is only Load.
func (s *EventStore) Checkpoints(ctx context.Context) (*Checkpoints, error) {
	if s.db.lock == nil {
		return &Checkpoints{db: s.db}, nil
	}
	err := s.db.write(ctx, func(tx *transaction) (bool, error) { return true, tx.execAll(checkpointTables) })
	if err != nil {
		return nil, s.db.wrap(err)
	}
	return &Checkpoints{db: s.db}, nil
}

// execAll runs several statements, once.
func (tx *transaction) execAll(statements string) error {
	_, err := tx.conn.ExecContext(tx.ctx, statements)
	return err
}

// held is a row of leases, and the time on the clock by which it was read.
type held struct {
	holder     string
	fence      int64
	until, now int64 // milliseconds since 1970
}

const selectLease = `SELECT coalesce(max(holder), ''), coalesce(max(fence), 0), coalesce(max(until_ms), 0),
	CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) FROM lease WHERE name = ?`

func (tx *transaction) lease(name string) (h held, err error) {
	err = tx.query(selectLease, []any{name}, func(rows *sql.Rows) error {
		return rows.Scan(&h.holder, &h.fence, &h.until, &h.now)
	})
	return h, err
}

// Acquire implements checkpoint.Store.
func (c *Checkpoints) Acquire(
	ctx context.Context, name, holder string, duration time.Duration,
) (lease checkpoint.Lease, err error) {
	err = c.db.write(ctx, func(tx *transaction) (bool, error) {
		last, err := tx.lease(name)
		switch {
		case err != nil:
			return false, err
		case last.now < last.until && last.holder != holder:
			return false, checkpoint.ErrHeld
		}
		lease = checkpoint.Lease{Name: name, Holder: holder, Fence: last.fence + 1}
		return true, tx.exec(`INSERT INTO lease (name, holder, fence, until_ms) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until_ms = excluded.until_ms`,
			name, holder, lease.Fence, last.now+milliseconds(duration))
	})
	if err != nil {
		return checkpoint.Lease{}, err
	}
	return lease, nil
}

// milliseconds rounds up.
func milliseconds(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// with runs do in a transaction if the lease is not lost.
func (c *Checkpoints) with(
	ctx context.Context, lease checkpoint.Lease, do func(tx *transaction, current held) error,
) error {
	return c.db.write(ctx, func(tx *transaction) (bool, error) {
		current, err := tx.lease(lease.Name)
		switch {
		case err != nil:
			return false, err
		case current.fence != lease.Fence || current.until == 0:
			return false, checkpoint.ErrLost
		}
		return true, do(tx, current)
	})
}

const updateLease = "UPDATE lease SET until_ms = ? WHERE name = ?"

// Renew implements checkpoint.Store.
func (c *Checkpoints) Renew(ctx context.Context, lease checkpoint.Lease, duration time.Duration) error {
	return c.with(ctx, lease, func(tx *transaction, current held) error {
		return tx.exec(updateLease, current.now+milliseconds(duration), lease.Name)
	})
}

// Release implements checkpoint.Store.
func (c *Checkpoints) Release(ctx context.Context, lease checkpoint.Lease) error {
	err := c.with(ctx, lease, func(tx *transaction, _ held) error { return tx.exec(updateLease, 0, lease.Name) })
	if errors.Is(err, checkpoint.ErrLost) {
		return nil
	}
	return err
}

// Save implements checkpoint.Store.
func (c *Checkpoints) Save(ctx context.Context, lease checkpoint.Lease, progress []checkpoint.Progress) error {
	return c.with(ctx, lease, func(tx *transaction, _ held) error {
		if err := tx.exec("DELETE FROM progress WHERE reader = ?", lease.Name); err != nil {
			return err
		}
		for _, p := range progress {
			err := tx.exec(`INSERT INTO progress
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
func (c *Checkpoints) Load(ctx context.Context, reader string) (progress []checkpoint.Progress, err error) {
	if missing, err := c.missing(ctx); err != nil || missing {
		return nil, err
	}
	err = c.db.query(ctx, `SELECT partition, history, topic, first, next, event_id, position, confirmed
		FROM progress WHERE reader = ? ORDER BY partition`, []any{reader}, func(rows *sql.Rows) error {
		var p checkpoint.Progress
		err := rows.Scan(&p.Partition, &p.History, &p.Topic, &p.First, &p.Next, &p.EventID, &p.Position, &p.Confirmed)
		progress = append(progress, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return progress, nil
}

// missing tells whether the tables are yet to be made, by the one who writes.
func (c *Checkpoints) missing(ctx context.Context) (missing bool, err error) {
	if c.db.lock != nil {
		return false, nil
	}
	err = c.db.query(ctx, "SELECT count(*) = 0 FROM sqlite_schema WHERE type = 'table' AND name = 'progress'", nil,
		func(rows *sql.Rows) error { return rows.Scan(&missing) })
	return missing, err
}
