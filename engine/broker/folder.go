package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// folder is the place on disk, locked for as long as it is open:
//
//	lock             held while a broker runs
//	data             what kfake reads and writes
//	data.unreadable  the last data that could not be loaded, if any
//
// The lock lies outside data, so that data can be renamed under it.
type folder struct {
	dir  string
	lock *flock.Flock
	log  *slog.Logger
}

func openFolder(dir string, log *slog.Logger) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, folderError(dir, err)
	}
	// The system gives the lock back when the process dies. Its file stays: a
	// process that removed it could take another's lock away.
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, folderError(dir, err)
	}
	if !held {
		return nil, &ConfigError{"Dir", fmt.Errorf(
			"folder %s is held by another process; stop that one, or give this one a folder of its own", dir)}
	}
	return &folder{dir: dir, lock: lock, log: log}, nil
}

func folderError(dir string, err error) error {
	return &ConfigError{"Dir", fmt.Errorf(
		"folder %s cannot be used (%w); make it writable and leave space on its disk, or choose another", dir, cause(err))}
}

func (f *folder) data() string { return filepath.Join(f.dir, "data") }

func (f *folder) aside() string { return f.data() + ".unreadable" }

// setAside makes room for empty data. One unreadable folder is kept for whoever wants to know what happened, not more:
// they are large, and all that is in them can be published again.
func (f *folder) setAside(reason error) error {
	if err := os.RemoveAll(f.aside()); err != nil {
		return err
	}
	if err := os.Rename(f.data(), f.aside()); err != nil {
		return err
	}
	f.log.Warn("broker cannot load its data and starts empty; the data was moved aside", "to", f.aside(), "reason", reason)
	return nil
}

// sync brings everything to disk. kfake syncs only its small state files.
func (f *folder) sync() error {
	return filepath.WalkDir(f.data(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(file.Sync(), file.Close())
	})
}

// close gives the lock back.
func (f *folder) close() error { return f.lock.Close() }
