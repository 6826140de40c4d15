package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"passbook/bank/notify"
)

// forget tells the notification database, if there is one, that the event store
// has a new history, which is that of before up to position head: who was told of
// what is not told again, and what follows is news.
func (f *notifyDBFlag) forget(ctx context.Context, folder *folder, head int64) (err error) {
	at, err := f.location(folder.path)
	if err != nil {
		return err
	}
	if !at.server() {
		if _, err := os.Stat(at.path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	store, err := openNotifyDB(ctx, at)
	if err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	err = store.Update(ctx, func(tx *sql.Tx) error {
		if err := store.Forget(ctx, tx, notify.Consumer); err != nil {
			return err //nolint:wrapcheck // it is wrapped below
		}
		return notify.Forget(ctx, tx, store.dialect, head) //nolint:wrapcheck // it is wrapped below
	})
	if err != nil {
		return fmt.Errorf("tell the notification database of the new history: %w", err)
	}
	return nil
}
