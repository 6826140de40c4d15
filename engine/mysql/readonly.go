package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"
)

// errNoTable is the server's number for a table that is not there.
const errNoTable = 1146

// OpenProjectionStoreReadOnly opens a read side that is there, beside whoever
// writes to it, and makes nothing. What a call that writes would do is not said.
// See OpenProjectionStore for the errors.
func OpenProjectionStoreReadOnly(ctx context.Context, address string) (*ProjectionStore, error) {
	return open(ctx, address, (*ProjectionStore).findTables)
}

func (s *ProjectionStore) findTables(ctx context.Context) error {
	var has int
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM projection_schema`).Scan(&has)
	missing, ok := errors.AsType[*driver.MySQLError](err)
	switch {
	case ok && missing.Number == errNoTable:
		return errors.New("there is no read side in it yet: passbook serve makes it")
	case err != nil:
		return err
	case has != schemaNewest:
		return fmt.Errorf("its tables have version %d, and this program knows %d: use the program that they are of", has, schemaNewest)
	}
	return nil
}

// Claim marks the database as that of one read side, for ever, or finds that it
// is: lines are swapped as a whole, so that two of them in one database would take
// each other's checkpoints along. A database that is another's is refused.
func (s *ProjectionStore) Claim(ctx context.Context, owner string) error {
	return s.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT IGNORE INTO read_side (only_one, owner) VALUES (1, ?)`, owner)
		if err != nil {
			return err
		}
		var is string
		if err := tx.QueryRowContext(ctx, `SELECT owner FROM read_side`).Scan(&is); err != nil {
			return err
		}
		if is != owner {
			return fmt.Errorf("the database is that of the %s: give the %s one of its own", is, owner)
		}
		return nil
	})
}
