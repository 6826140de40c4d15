package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"passbook/engine/mongodb"
	"passbook/engine/sqlite"
)

type recoverCommand struct {
	storeFlags   `embed:""`
	derivedFlags `embed:""`
	notifyDBFlag `embed:""`

	File string `arg:"" help:"File that passbook backup has written. None for a store on MongoDB, which was put back with MongoDB's own tools." optional:""`
}

// Run puts a back-up in the place of the event store, under a new history; a
// store on a server was put back already, and gets the new history. It holds the
// data folder, so nobody serves from it meanwhile. Run again after whatever
// stopped it, it does the same once more.
func (c *recoverCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	at, err := c.storeFlags.location()
	if err != nil {
		return err
	}
	switch {
	case at.server() && c.File != "":
		return errors.New("FILE: a store on MongoDB is put back with MongoDB's own tools; run recover without FILE afterwards, which gives it its new history")
	case !at.server() && c.File == "":
		return errors.New("FILE: name the file that passbook backup has written")
	}
	folder, err := openFolder(filepath.Clean(c.Data))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	if at.server() {
		return c.renew(ctx, out, at, folder)
	}
	return c.putBack(ctx, out, at.path, folder)
}

// putBack puts a file in the place of the event store.
func (c *recoverCommand) putBack(ctx context.Context, out output, path string, folder *folder) (err error) {
	if err := checkFile(ctx, c.File); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	recovery, err := sqlite.PrepareRecovery(ctx, c.File, path)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	defer func() { err = errors.Join(err, recovery.Close()) }()
	var aside string
	for _, step := range c.steps(folder, recovery, &aside) {
		if err := step(ctx); err != nil {
			return fmt.Errorf("recover: %w", err)
		}
	}
	return c.report(out, recovery, aside, folder)
}

func checkFile(ctx context.Context, path string) (err error) {
	store, err := sqlite.OpenEventStoreReadOnly(ctx, path)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return checkEvents(ctx, store, path)
}

// renew gives a store that was put back its new history.
func (c *recoverCommand) renew(ctx context.Context, out output, at location, folder *folder) (err error) {
	store, err := mongodb.OpenEventStore(ctx, at.url)
	if err != nil {
		return refuse("PASSBOOK_EVENT_STORE", "event-store", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := checkEvents(ctx, store, at.String()); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	head, err := store.Head(ctx)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := removeDerived(folder); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	history, err := store.Renew(ctx)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := c.forget(ctx, folder, head); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	_, err = fmt.Fprintf(out.stdout, "recovered: events up to position %s; the new history is %s\n", grouped(head), history)
	if err != nil {
		return err //nolint:wrapcheck // standard output tells enough
	}
	return c.tellElsewhere(out, folder)
}

// steps are what a recovery consists of once the back-up was examined, in order.
// What can be built again is removed while the old history is in place still: if
// it ends there, it is built again from that one. What keeps a record of the old
// history has to be told of the new one behind the swap; until it was, it refuses
// the new history, and the recovery can be run again.
func (c *recoverCommand) steps(folder *folder, recovery *sqlite.Recovery, aside *string) []func(context.Context) error {
	return []func(context.Context) error{
		func(context.Context) error { return removeDerived(folder) },
		func(ctx context.Context) (err error) {
			*aside, err = recovery.Swap(ctx, time.Now())
			return err //nolint:wrapcheck // it names the store and the step
		},
		func(ctx context.Context) error { return c.forget(ctx, folder, recovery.Backup.Head) },
	}
}

func (c *recoverCommand) report(out output, recovery *sqlite.Recovery, aside string, folder *folder) error {
	_, err := fmt.Fprintf(out.stdout, "recovered: events up to position %s of history %s; the new history is %s\n",
		grouped(recovery.Backup.Head), recovery.Backup.History, recovery.History)
	if err == nil && aside != "" {
		_, err = fmt.Fprintf(out.stdout, "the store that was there is kept as %s\n", aside)
	}
	if err != nil {
		return err //nolint:wrapcheck // standard output tells enough
	}
	return c.tellElsewhere(out, folder)
}
