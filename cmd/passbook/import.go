package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"passbook/es/archive"
	"passbook/es/eventstore"
)

type importCommand struct {
	storeFlags   `embed:""`
	derivedFlags `embed:""`
	notifyDBFlag `embed:""`

	From string `help:"File that passbook export has written." placeholder:"FILE" required:""`
}

// Run fills an empty event store from a file. What is wrong with the file is
// found before anything is written.
func (c *importCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	if strings.HasPrefix(c.From, "mongodb:") || strings.HasPrefix(c.From, "mongodb+srv:") {
		return errors.New("--from: taking over a store on MongoDB is not available yet: " +
			"available is --from FILE, a file that passbook export has written")
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
	done, err := c.fill(ctx, store, file, folder, out)
	if err != nil {
		return explainImport(err, at)
	}
	return c.report(out, done, folder)
}

func (c *importCommand) fill(
	ctx context.Context, store eventEngine, file *os.File, folder *folder, out output,
) (archive.Imported, error) {
	checking, writing := newProgress(out.stderr, "check"), newProgress(out.stderr, "import")
	defer writing.close()
	defer checking.close()
	return archive.Import(ctx, store, file, archive.ImportConfig{ //nolint:wrapcheck // explainImport does
		Checking: checking.set,
		Writing: func(done, total int64) {
			checking.close()
			writing.set(done, total)
		},
		BeforeEnd: func() error {
			head, err := store.Head(ctx)
			if err != nil {
				return err //nolint:wrapcheck // it names the store
			}
			return errors.Join(removeDerived(folder), c.forget(ctx, folder, head))
		},
	})
}

// explainImport adds what a person can do about it.
func explainImport(err error, at location) error {
	anew, begin := "move the file away", "delete "+at.path
	if at.server() {
		anew, begin = "name another database", "drop the database"
	}
	switch {
	case errors.Is(err, eventstore.ErrNotEmpty):
		return fmt.Errorf("import into %s: %w: give it a data folder of its own, or %s", at, err, anew)
	case errors.Is(err, eventstore.ErrOtherImport):
		return fmt.Errorf("import into %s: %w: run that one again, with its file, or %s to begin anew", at, err, begin)
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
