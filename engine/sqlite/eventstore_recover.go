package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Recovery puts a back-up in the place of an event store, under a new history.
// Until Swap nothing of the store is changed. Not safe for concurrent use.
type Recovery struct {
	// Backup is what the back-up holds.
	Backup Backup
	// History is the new history id.
	History string

	path, copy string
	lock       io.Closer
	// reached is told after each step of Swap in tests; nil otherwise.
	reached func(step string)
}

// PrepareRecovery takes the event store at path, which need not exist, from
// other processes until Close; copies the back-up beside it; and examines the
// copy: the one that is going to be used, and all of it. A file that BackUp has
// not made is taken too if it is a whole event store, such as one that an
// earlier recovery has put aside.
//
// An error is one line: the store is in use, the back-up is damaged, is something
// else, or cannot be read.
func PrepareRecovery(ctx context.Context, backup, path string) (_ *Recovery, err error) {
	r := &Recovery{History: event.NewID()}
	if r.path, err = realPath(path); err != nil {
		return nil, fmt.Errorf("event store %s: %w", path, err)
	}
	if r.lock, err = lockFile(eventStoreKind, r.path); err != nil {
		return nil, err
	}
	r.copy = r.path + ".recover"
	if err := r.prepare(ctx, backup); err != nil {
		return nil, withClose(err, r.Close())
	}
	return r, nil
}

func (r *Recovery) prepare(ctx context.Context, backup string) error {
	wrap := func(err error) error { return fmt.Errorf("back-up %s: %w", backup, plain(err)) }
	if err := r.refuse(backup); err != nil {
		return err
	}
	if err := copyFile(ctx, backup, r.copy); err != nil {
		return wrap(err)
	}
	found, pending, err := examineFile(ctx, r.copy)
	if err == nil && pending != pendingBackup {
		err = noHistory(pending)
	}
	if err != nil {
		return wrap(err)
	}
	r.Backup = found
	if err := execute(ctx, r.copy, "rw", single, beginAnew, r.History); err != nil {
		return wrap(err)
	}
	return syncFile(r.copy)
}

// refuse looks at both files before anything is copied.
func (r *Recovery) refuse(backup string) error {
	info, err := os.Stat(backup)
	switch {
	case err != nil:
		return fmt.Errorf("back-up %s: %w", backup, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("back-up %s: it is no regular file", backup)
	}
	if log, err := os.Stat(backup + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("back-up %s: a write-ahead log lies beside it, so the file is not all of the store: it is no back-up", backup)
	}
	store, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("event store %s: %w", r.path, err)
	}
	if os.SameFile(info, store) {
		return fmt.Errorf("back-up %s: it is the event store itself", backup)
	}
	// A store may be damaged, that is what back-ups are for; but not something else.
	if kind, err := applicationID(r.path); err == nil && kind != 0 && kind != eventStoreKind.id {
		return fmt.Errorf("event store %s: it is a SQLite database of something else (application id %#x): choose another file", r.path, kind)
	}
	return nil
}

// applicationID reads what the header of a file says.
func applicationID(path string) (id int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	header := make([]byte, 72)
	_, err = io.ReadFull(f, header)
	if err = withClose(err, f.Close()); err != nil {
		return 0, err
	}
	if string(header[:16]) != "SQLite format 3\x00" {
		return 0, errors.New("it is not a SQLite database")
	}
	for _, b := range header[68:72] {
		id = id<<8 | int64(b)
	}
	return id, nil
}

// Close lets go of the store. Without a Swap before, it is as it was.
func (r *Recovery) Close() error {
	err := r.lock.Close()
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		err = errors.Join(err, removeIfThere(r.copy+suffix))
	}
	return err
}

// Swap puts the back-up in place and returns the name under which the store
// that was there is kept, empty if there was none. Whatever dies meanwhile, there
// is the old store or the new one afterwards; of a store so damaged that SQLite
// cannot open it, it may be that neither can be opened until the recovery was
// run again.
//
// A write-ahead log of the old store must not be left behind: SQLite would apply
// it to the new one. It is carried over into the old store first. Where that
// store is too damaged for it, the log is kept beside it.
func (r *Recovery) Swap(ctx context.Context, now time.Time) (aside string, err error) {
	damaged, err := r.settle(ctx)
	if err != nil {
		return "", fmt.Errorf("event store %s: %w", r.path, err)
	}
	if _, err := os.Lstat(r.path); err == nil || damaged {
		aside = freeName(r.path + ".before-" + now.UTC().Format("20060102T150405Z"))
	}
	for _, step := range r.steps(aside, damaged) {
		if err := step.do(); err != nil {
			return "", fmt.Errorf("event store %s: %s: %w", r.path, step.name, err)
		}
		if r.reached != nil {
			r.reached(step.name)
		}
	}
	return aside, nil
}

// settle carries the old store's log over. It tells whether there remains one
// that cannot be carried over.
func (r *Recovery) settle(ctx context.Context) (damaged bool, err error) {
	if _, err := os.Stat(r.path + recovering); err == nil {
		return true, nil // an earlier recovery has taken apart what was there
	}
	if _, err := applicationID(r.path); err == nil { // what is no database any more is not opened: SQLite would delete its log
		old, err := openWriter(ctx, r.path)
		if err == nil {
			err = old.close()
		}
		if errors.Is(err, errLogInUse) {
			return false, err
		}
		damaged = err != nil
	} else {
		damaged = !errors.Is(err, fs.ErrNotExist)
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if log, err := os.Stat(r.path + suffix); err == nil && log.Size() > 0 {
			damaged = true
		}
	}
	return damaged, nil
}

// recovering ends the name of a file that is there while a damaged store is
// taken apart. With it beside it, no event store is opened.
const recovering = ".recovering"

// refuseRecovering tells that a recovery has to be run again first.
func refuseRecovering(path string) error {
	file, err := realPath(path)
	if err != nil {
		return nil //nolint:nilerr // who opens the file will tell
	}
	if _, err := os.Stat(file + recovering); err == nil {
		return fmt.Errorf("event store %s: %w: a recovery of it was interrupted: run passbook recover again", file, eventstore.ErrNoHistory)
	}
	return nil
}

type step struct {
	name string
	do   func() error
}

// steps of the swap, in order. Each is durable before the next.
func (r *Recovery) steps(aside string, damaged bool) []step {
	folder := filepath.Dir(r.path)
	synced := func(do func() error) func() error {
		return func() error {
			if err := do(); err != nil {
				return err
			}
			return syncFolder(folder)
		}
	}
	keep := func(suffix string) func() error {
		if !damaged {
			return func() error { return removeIfThere(r.path + suffix) } // it is empty
		}
		return func() error { return renameIfThere(r.path+suffix, aside+suffix) }
	}
	var steps []step
	if aside != "" {
		steps = append(steps, step{"keep the old store", synced(func() error { return unlessMissing(linkOrCopy(r.path, aside)) })})
	}
	steps = append(steps, []step{
		{"keep its log", synced(keep("-wal"))},
		{"keep its journal", synced(keep("-journal"))},
		{"remove its index of the log", synced(func() error { return removeIfThere(r.path + "-shm") })},
		{"put the back-up in place", synced(func() error { return os.Rename(r.copy, r.path) })},
	}...)
	if !damaged {
		return steps
	}
	begin := step{"mark the recovery", synced(func() error { return os.WriteFile(r.path+recovering, nil, 0o600) })}
	end := step{"take the mark away", synced(func() error { return removeIfThere(r.path + recovering) })}
	return append(append([]step{begin}, steps...), end)
}
