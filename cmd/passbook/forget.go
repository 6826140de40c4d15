package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"passbook/bank/notify"
	"passbook/engine/sqlite"
)

// notifyDBFlag says where the notification database is, as it does for serve.
type notifyDBFlag struct {
	NotifyDB string `default:"sqlite" env:"PASSBOOK_NOTIFY_DB" help:"Notification database, which is told of the new history." name:"notify-db" placeholder:"ENGINE"`
}

// forget tells the notification database, if there is one, that the event store
// has a new history, which is that of before up to position head: who was told of
// what is not told again, and what follows is news.
func (f *notifyDBFlag) forget(ctx context.Context, folder *folder, head int64) (err error) {
	path, err := parseSQLite(f.NotifyDB, folder.path, "notify.db")
	if err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	store, err := sqlite.OpenProjectionStore(ctx, path, sqlite.Durable)
	if err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := notify.Migrate(ctx, store.DB(), notify.SQLite); err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	err = store.Update(ctx, func(tx *sql.Tx) error {
		if err := store.Forget(ctx, tx, notify.Consumer); err != nil {
			return err //nolint:wrapcheck // it is wrapped below
		}
		return notify.Forget(ctx, tx, notify.SQLite, head) //nolint:wrapcheck // it is wrapped below
	})
	if err != nil {
		return fmt.Errorf("tell the notification database of the new history: %w", err)
	}
	return nil
}
