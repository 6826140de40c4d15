package notify

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

// SQLite is that of the embedded notification DB, MySQL that of a server.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql"
)

// Released migrations are not changed any more; a change is another file.
//
//go:embed migrations
var migrations embed.FS

// statements returns the SQL for a dialect.
func (d Dialect) statements() (statements, error) {
	switch d {
	case SQLite:
		return sqliteStatements(), nil
	case MySQL:
		return mysqlStatements(), nil
	}
	return statements{}, fmt.Errorf("notifications: there is no SQL for the dialect %q", string(d))
}

// goose returns what goose calls the dialect.
func (d Dialect) goose() (goose.Dialect, error) {
	switch d {
	case SQLite:
		return goose.DialectSQLite3, nil
	case MySQL:
		return goose.DialectMySQL, nil
	}
	return "", fmt.Errorf("notifications: there are no migrations for the dialect %q", string(d))
}

// Migrate creates the tables of the notifications in db, or brings those that are
// there to the newest schema. Events that happened before the tables were first
// created are never notified, unless Config.FromBeginning says otherwise. Tables
// that a newer program has migrated further are refused.
//
// On SQLite each step is one transaction, and two calls on one database must not
// overlap. On MySQL, where no table can be taken back, a step that was cut off is
// done again; of several processes one migrates, and the others wait for it.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	known, err := dialect.goose()
	if err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations/"+string(dialect))
	if err != nil {
		return fmt.Errorf("tables of the notifications: %w", err)
	}
	set := migration.Set{Name: "notify", Of: "notifications", Dialect: known, Files: files}
	return set.Up(ctx, db) //nolint:wrapcheck // it says whose tables they are
}
