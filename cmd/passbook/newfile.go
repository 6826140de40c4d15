package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newFile is a file that is under its name whole and durable, or not at all. It
// is written under another name in the same folder, FILE.….tmp, one of its own so
// that two who write at the same time do not write into each other's.
type newFile struct {
	*os.File
	path      string
	overwrite bool
	done      bool
}

// createFile begins a file that must not exist yet, unless it is to be
// overwritten.
func createFile(path string, overwrite bool) (*newFile, error) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && overwrite && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file: choose another name", path)
	case err == nil && !overwrite:
		return nil, refuseFile(path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err //nolint:wrapcheck // it names the file and what is wrong with it
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file and what is wrong with it
	}
	return &newFile{File: file, path: path, overwrite: overwrite}, nil
}

var errFileExists = errors.New("exists already: choose another name")

func refuseFile(path string) error { return fmt.Errorf("%s %w", path, errFileExists) }

// commit makes what was written durable and gives it its name.
func (f *newFile) commit() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := f.rename(); err != nil {
		return err
	}
	f.done = true
	return syncFolder(filepath.Dir(f.path))
}

// rename does not overwrite a file that has come meanwhile: a second name is
// refused where one is, and a renaming is not. Where the file system knows no
// second names, the last look has to do.
func (f *newFile) rename() error {
	if f.overwrite {
		return os.Rename(f.Name(), f.path) //nolint:wrapcheck // it names both
	}
	err := os.Link(f.Name(), f.path)
	if err == nil {
		return os.Remove(f.Name()) //nolint:wrapcheck // it names the file
	}
	if _, errLook := os.Lstat(f.path); errors.Is(err, fs.ErrExist) || errLook == nil {
		return refuseFile(f.path)
	}
	return os.Rename(f.Name(), f.path) //nolint:wrapcheck // it names both
}

// discard removes what was written, unless it has its name.
func (f *newFile) discard() error {
	if f.done {
		return nil
	}
	_ = f.Close() // it may be closed already
	if err := os.Remove(f.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // it names the file
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err //nolint:wrapcheck // it names the folder
	}
	return errors.Join(folder.Sync(), folder.Close())
}
