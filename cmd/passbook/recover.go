package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"passbook/engine/sqlite"
)

type recoverCommand struct {
	storeFlags   `embed:""`
	derivedFlags `embed:""`
	notifyDBFlag `embed:""`

	File string `arg:"" help:"File that passbook backup has written."`
}

// Run puts a back-up in the place of the event store, under a new history. It
// holds the data folder, so nobody serves from it meanwhile. Run again after
// whatever stopped it, it does the same once more.
func (c *recoverCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	path, err := c.path()
	if err != nil {
		return err
	}
	folder, err := openFolder(filepath.Clean(c.Data))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	if err := checkEvents(ctx, c.File); err != nil {
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
