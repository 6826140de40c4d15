// Package migration brings the tables of a service to their newest schema.
// Files of statements come in from the room whose tables they are; tables in a
// database come out, whichever process of several asks first.
package migration

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Set is the migrations of one service's tables in one dialect.
type Set struct {
	// Name tells the sets in one database apart: it names the table that says
	// which migrations the database has had, and the lock of those who migrate.
	// It never changes.
	Name string
	// Of is what the tables are of, for errors: "read model".
	Of      string
	Dialect goose.Dialect
	Files   fs.FS
}

// Up creates the tables in db, or brings those that are there to the newest
// schema. Tables that a newer program has migrated further are refused.
//
// On SQLite each step is one transaction, and two calls on one database must not
// overlap. On MySQL, where no table can be taken back, a step that was cut off is
// done again; of several processes one migrates, and the others wait for it.
func (s Set) Up(ctx context.Context, db *sql.DB) error {
	var err error
	if s.Dialect == goose.DialectMySQL {
		err = s.locked(ctx, db, func() error { return s.up(ctx, db) })
	} else {
		err = s.up(ctx, db)
	}
	if err != nil {
		return fmt.Errorf("tables of the %s: %w", s.Of, err)
	}
	return nil
}

func (s Set) up(ctx context.Context, db *sql.DB) error {
	provider, err := goose.NewProvider(s.Dialect, db, s.Files,
		goose.WithTableName(s.Name+"_schema"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err //nolint:wrapcheck // Up does
	}
	has, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err //nolint:wrapcheck // Up does
	}
	if has > newest {
		return fmt.Errorf("they have version %d, and this program knows up to %d: use a newer one", has, newest)
	}
	_, err = provider.Up(ctx)
	return err //nolint:wrapcheck // Up does
}
