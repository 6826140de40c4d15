package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"passbook/bank/legacy/takeover"
	"passbook/es/archive"
	"passbook/es/eventstore"
)

type importCommand struct {
	storeFlags    `embed:""`
	derivedFlags  `embed:""`
	notifyDBFlag  `embed:""`
	takeOverFlags `embed:""`

	From string `help:"File that passbook export has written, or mongodb://host:port/bankAccount, the event store of the Java system." placeholder:"FILE|URL" required:""`
}

// Run fills an empty event store from a file, or from the event store of the Java
// system. What is wrong with either is found before anything is written.
func (c *importCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	if leadsToMongoDB(c.From) {
		return c.takeOver(ctx, out)
	}
	if err := c.takeOverFlags.refuse(); err != nil {
		return err
	}
	at, err := c.storeFlags.location()
	if err != nil {
		return err
	}
	file, err := os.Open(c.From)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return c.into(ctx, at, func(target importTarget) error {
		done, err := c.fill(ctx, target, file, out)
		if err != nil {
			return explainImport(err, at, "with its file")
		}
		return c.report(out, done, target.folder)
	})
}

// importTarget is what is filled, held by this process alone.
type importTarget struct {
	store  eventEngine
	folder *folder
}

// into opens what is to be filled, for as long as do runs.
func (c *importCommand) into(ctx context.Context, at location, do func(importTarget) error) (err error) {
	folder, err := openFolder(filepath.Clean(c.Data))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	store, err := openEventStore(ctx, at)
	if err != nil {
		return refuse("PASSBOOK_EVENT_STORE", "event-store", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return do(importTarget{store, folder})
}

// beforeEnd removes what belongs to the history that the store had, and has the
// notification database know of the new one.
func (c *importCommand) beforeEnd(ctx context.Context, target importTarget) error {
	head, err := target.store.Head(ctx)
	if err != nil {
		return err //nolint:wrapcheck // it names the store
	}
	return errors.Join(removeDerived(target.folder), c.forget(ctx, target.folder, head))
}

func (c *importCommand) fill(ctx context.Context, target importTarget, file *os.File, out output) (archive.Imported, error) {
	checking, writing := newProgress(out.stderr, "check"), newProgress(out.stderr, "import")
	defer writing.close()
	defer checking.close()
	return archive.Import(ctx, target.store, file, archive.ImportConfig{ //nolint:wrapcheck // explainImport does
		Checking: checking.set,
		Writing: func(done, total int64) {
			checking.close()
			writing.set(done, total)
		},
		BeforeEnd: func() error { return c.beforeEnd(ctx, target) },
	})
}

// explainImport adds what a person can do about it. again says with what an
// interrupted import has to be run again.
func explainImport(err error, at location, again string) error {
	anew, begin := "move the file away", "delete "+at.path
	if at.server() {
		anew, begin = "name another database", "drop the database"
	}
	switch {
	case errors.Is(err, eventstore.ErrNotEmpty):
		return fmt.Errorf("import into %s: %w: give it a data folder of its own, or %s", at, err, anew)
	case errors.Is(err, eventstore.ErrOtherImport):
		return fmt.Errorf("import into %s: %w: run that one again, %s, or %s to begin anew", at, err, again, begin)
	case errors.Is(err, takeover.ErrChanged):
		return fmt.Errorf("import into %s: %w: stop the Java system, %s if anything was written to it, and run the import again", at, err, begin)
	}
	return fmt.Errorf("import into %s: %w", at, err)
}

func (c *importCommand) report(out output, done archive.Imported, folder *folder) error {
	resumed := ""
	if done.Resumed > 0 {
		resumed = fmt.Sprintf(" (%s of them by an earlier run)", grouped(done.Resumed))
	}
	_, err := fmt.Fprintf(out.stdout, "imported %s events%s and %s idempotency keys of history %s; the new history is %s\n",
		grouped(done.Events), resumed, grouped(done.Keys), done.History, done.NewHistory)
	if err != nil {
		return err //nolint:wrapcheck // standard output tells enough
	}
	return c.tellElsewhere(out, folder)
}

func (d *derivedFlags) tellElsewhere(out output, folder *folder) error {
	for _, line := range d.elsewhere(folder) {
		if _, err := fmt.Fprintln(out.stdout, line); err != nil {
			return err //nolint:wrapcheck // standard output tells enough
		}
	}
	return nil
}
