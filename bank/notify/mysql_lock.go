package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// lockWait is for how many seconds the lock is asked for at once.
const lockWait = 5

// withMySQLLock runs fn while no other process migrates these tables in this
// database. The lock goes with its connection, whatever becomes of the process.
func withMySQLLock(ctx context.Context, db *sql.DB, fn func() error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("tables of the notifications: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// Names of such locks belong to the whole server, and are short.
	const name = `CONCAT('passbook.notify.', LEFT(SHA2(DATABASE(), 256), 32))`
	for {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(`+name+`, ?)`, lockWait).Scan(&got); err != nil {
			return fmt.Errorf("tables of the notifications: %w", err)
		}
		if got.Int64 == 1 {
			break
		}
	}
	defer func() {
		_, released := conn.ExecContext(context.WithoutCancel(ctx), `DO RELEASE_LOCK(`+name+`)`)
		err = errors.Join(err, released)
	}()
	return fn()
}
