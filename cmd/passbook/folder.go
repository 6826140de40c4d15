package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"passbook/es/event"
)

// folder is the data folder, held by this process alone.
type folder struct {
	path string
	lock *flock.Flock
}

// openFolder makes the data folder where there is none, and locks it. The lock
// goes with the process, however that ends.
func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("PASSBOOK_DATA (--data): the data folder cannot be made: %w", err)
	}
	lock := flock.New(filepath.Join(path, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("PASSBOOK_DATA (--data): the data folder cannot be locked: %w", err)
	}
	if !held {
		return nil, fmt.Errorf("PASSBOOK_DATA (--data): the data folder %s is held by another passbook: "+
			"stop that one, or give this one a folder of its own", path)
	}
	return &folder{path: path, lock: lock}, nil
}

func (f *folder) close() error {
	if err := f.lock.Unlock(); err != nil {
		return fmt.Errorf("unlock the data folder: %w", err)
	}
	return nil
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// instance returns the name under which this folder's process is a member of
// consumer groups. It stays the same over restarts, so that a process that was
// killed takes up its partitions at once instead of after a time-out.
func (f *folder) instance() (string, error) {
	path := f.file("instance")
	content, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(content))) > 0 {
		return strings.TrimSpace(string(content)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the instance's name: %w", err)
	}
	name := event.NewID()
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the instance's name: %w", err)
	}
	return name, nil
}
