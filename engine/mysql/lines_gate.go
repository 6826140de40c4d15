package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Tables change their names under the transactions that use them. A transaction
// locks a table, against being renamed, when it first names it, and not before:
// one that has named half of a line's tables could find the other half to be
// another line's, or wait for the renaming while the renaming waits for it.
//
// So every transaction of a store names a table first that nobody ever writes
// to, its gate: one for those that write, one for those that only read. Who
// renames locks the gates: those who are through come to their end, nobody else
// gets through, and nothing that they hold can be what a transaction waits for.

// pass makes a transaction one of those that are through.
func pass(ctx context.Context, tx *sql.Tx, gate string) error {
	_, err := tx.ExecContext(ctx, `SELECT nothing FROM `+gate) //nolint:gosec // one of two names
	return err
}

// How often a lock of whole tables is tried for, a second each, and the pause
// between, in which those who waited behind it go on.
const (
	gateTries = 30
	gatePause = 100 * time.Millisecond
)

// errBusy is wrapped with what was waited for.
var errBusy = errors.New("others did not let go of the tables in time: try again")

// still runs fn while no transaction of a store on this database is under way.
// turn is the connection that has the turn; it holds the gate of those who
// write, another holds the one of those who read.
func (s *ProjectionStore) still(ctx context.Context, turn *sql.Conn, fn func(g gates) error) error {
	return s.withConn(ctx, func(readers *sql.Conn) error {
		g := gates{writers: turn, readers: readers}
		for range gateTries {
			err := g.lock(ctx)
			if err == nil {
				err = fn(g)
				g.unlock(ctx)
				return err
			}
			g.unlock(ctx)
			if !isError(err, errLockWait) {
				return err
			}
			if err := pause(ctx, gatePause); err != nil {
				return err
			}
		}
		return fmt.Errorf("%w: a transaction is under way for longer than a second", errBusy)
	})
}

// gates are the connections that hold the two.
type gates struct{ writers, readers *sql.Conn }

func (g gates) lock(ctx context.Context) error {
	if _, err := g.writers.ExecContext(ctx, `LOCK TABLES write_gate WRITE`); err != nil {
		return err
	}
	_, err := g.readers.ExecContext(ctx, `LOCK TABLES read_gate WRITE`)
	return err
}

// unlock lets go, whatever has become of ctx. A connection that does not answer
// has let go, or will when the server notices.
func (g gates) unlock(ctx context.Context) {
	for _, conn := range []*sql.Conn{g.readers, g.writers} {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `UNLOCK TABLES`)
	}
}

// areHeld: a connection that answers has kept its locks since it got them.
func (g gates) areHeld(ctx context.Context) error {
	for _, conn := range []*sql.Conn{g.writers, g.readers} {
		if _, err := conn.ExecContext(ctx, `DO 1`); err != nil {
			return err
		}
	}
	return nil
}

// renaming is one step of a renaming.
type renaming struct{ from, to string }

// rename gives tables new names, all in one step, which a death of the server
// takes back as a whole. Queries that are not a store's transactions may be
// under way: their tables are locked first, and asked for again and again, so
// that nobody waits long behind a query that takes its time. Only when nobody
// can write any more, whether the gates hold or not, it is looked whether they
// have held.
func (s *ProjectionStore) rename(ctx context.Context, g gates, all []renaming) error {
	var locks, steps []string
	for _, r := range all {
		locks = append(locks, r.from+" WRITE")
		steps = append(steps, r.from+" TO "+r.to)
	}
	return s.withConn(ctx, func(conn *sql.Conn) error {
		for try := 1; ; try++ {
			_, err := conn.ExecContext(ctx, `LOCK TABLES `+strings.Join(locks, ", "))
			if err == nil {
				break
			}
			if !isError(err, errLockWait, errDeadlock) {
				return err
			}
			if try == gateTries {
				return fmt.Errorf("%w: a query is under way for longer than a second", errBusy)
			}
			if err := pause(ctx, gatePause); err != nil {
				return err
			}
		}
		if err := g.areHeld(ctx); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, `RENAME TABLE `+strings.Join(steps, ", "))
		return err
	})
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
