package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"passbook/engine/sqlite"
)

type backupCommand struct {
	storeFlags `embed:""`

	File string `arg:"" help:"File to write; it must not exist."`
}

// Run copies the event store, as of one moment, beside whoever serves it. It
// does not copy what can be built again.
func (c *backupCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	at, err := c.storeFlags.location()
	if err != nil {
		return err
	}
	if at.server() {
		return refuse("PASSBOOK_EVENT_STORE", "event-store", errors.New("backup copies a SQLite file: back MongoDB up with its own tools "+
			"(mongodump, or a snapshot of a member's disk); passbook export writes all events to a file from either"))
	}
	store, err := sqlite.OpenEventStoreReadOnly(ctx, at.path)
	if err != nil {
		return refuse("PASSBOOK_EVENT_STORE", "event-store", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	file, err := createFile(c.File, false)
	if err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	defer func() { err = errors.Join(err, file.discard(), removeJournal(file.Name())) }()
	backup, err := store.BackUp(ctx, file.Name())
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(file.Name())
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := file.commit(); err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	_, err = fmt.Fprintf(out.stdout, "backed up to %s: events up to position %s of history %s, %s bytes; passbook recover puts it back\n",
		c.File, grouped(backup.Head), backup.History, grouped(info.Size()))
	return err //nolint:wrapcheck // standard output tells enough
}

// removeJournal removes what SQLite leaves of a write that failed.
func removeJournal(database string) error {
	if err := os.Remove(database + "-journal"); !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // it names the file
	}
	return nil
}
