package readmodel

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"passbook/bank/migration"
)

// Dialect names the SQL that a database speaks.
type Dialect string

// SQLite is that of the embedded read DB, MySQL that of a server.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql"
)

// Released migrations are not changed any more; a change is another file. They
// name the live tables, and indexes by table and purpose: bank_account_by_holder.
// CreateTables puts other names there. The index of a live table may have
// another name than the one that a migration gave it, and is not to be dropped
// by it.
//
//go:embed migrations
var migrations embed.FS

// statements returns the SQL for a dialect, on the tables of a line.
func (d Dialect) statements(t Tables) (statements, error) {
	if err := t.validate(); err != nil {
		return statements{}, err
	}
	switch d {
	case SQLite:
		return sqliteStatements(t), nil
	case MySQL:
		return mysqlStatements(t), nil
	}
	return statements{}, fmt.Errorf("read model: there is no SQL for the dialect %q", string(d))
}

// migrations returns the files of a dialect.
func (d Dialect) migrations() (fs.FS, error) {
	if _, err := d.goose(); err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations/"+string(d))
	if err != nil {
		return nil, fmt.Errorf("tables of the read model: %w", err)
	}
	return files, nil
}

// goose returns what goose calls the dialect.
func (d Dialect) goose() (goose.Dialect, error) {
	switch d {
	case SQLite:
		return goose.DialectSQLite3, nil
	case MySQL:
		return goose.DialectMySQL, nil
	}
	return "", fmt.Errorf("read model: there are no migrations for the dialect %q", string(d))
}

// Migrate creates the read model's tables in db, or brings those that are there
// to the newest schema. Tables that a newer program has migrated further are
// refused.
//
// On SQLite each step is one transaction, and two calls on one database must not
// overlap. On MySQL, where no table can be taken back, a step that was cut off is
// done again; of several processes one migrates, and the others wait for it.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	known, err := dialect.goose()
	if err != nil {
		return err
	}
	files, err := dialect.migrations()
	if err != nil {
		return err
	}
	set := migration.Set{Name: "readmodel", Of: "read model", Dialect: known, Files: files}
	return set.Up(ctx, db) //nolint:wrapcheck // it says whose tables they are
}
