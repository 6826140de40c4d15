package migration

import (
	"context"
	"database/sql"
	"errors"
)

// lockWait is for how many seconds the lock is asked for at once.
const lockWait = 5

// locked runs fn while no other process migrates the set in this MySQL database.
// The lock goes with its connection, whatever becomes of the process.
func (s Set) locked(ctx context.Context, db *sql.DB, fn func() error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err //nolint:wrapcheck // Up does
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// Names of such locks belong to the whole server, and are short.
	name := `CONCAT('passbook.` + s.Name + `.', LEFT(SHA2(DATABASE(), 256), 32))`
	for {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(`+name+`, ?)`, lockWait).Scan(&got); err != nil {
			return err //nolint:wrapcheck // Up does
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
