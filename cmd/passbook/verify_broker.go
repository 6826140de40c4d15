package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"passbook/engine/broker"
)

// brokerStandIn is an embedded broker on a copy of the data folder's, for those
// who want to read the feed while no serve runs. A broker writes to its folder
// when it starts and when it ends, so it does not get the folder itself; and the
// folder is held for no longer than the copy takes, so that a serve can start
// meanwhile.
type brokerStandIn struct {
	addr string
	dir  string
	stop context.CancelFunc
	end  chan error
}

// standIn returns nil if the folder is held by a running serve, whose own broker
// is to be asked.
func standIn(ctx context.Context, data string) (_ *brokerStandIn, err error) {
	lock := flock.New(filepath.Join(data, "lock"), flock.SetFlag(os.O_RDONLY))
	held, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist): // no serve was ever here
	case err != nil:
		return nil, fmt.Errorf("lock of the data folder: %w", err)
	case !held:
		return nil, nil //nolint:nilnil // there is none, and need not be
	}
	s := &brokerStandIn{}
	if s.dir, err = os.MkdirTemp("", "passbook-verify-"); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	err = errors.Join(copyFolder(ctx, filepath.Join(s.dir, "data"), filepath.Join(data, "broker", "data")), lock.Unlock())
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *brokerStandIn) start(ctx context.Context) error {
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: s.dir})
	if err != nil {
		return err //nolint:wrapcheck // the setting is named
	}
	s.addr, s.end = b.Addr(), make(chan error, 1)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx)) // it ends with close
	go func() { s.end <- b.Run(ctx) }()
	// What cannot be loaded is moved aside, and an empty topic would be compared.
	if _, err := os.Stat(filepath.Join(s.dir, "data.unreadable")); err == nil {
		s.stop()
		return errors.Join(errors.New("the embedded broker's data cannot be read: start serve, which publishes everything again"), <-s.end)
	}
	return nil
}

func (s *brokerStandIn) close() error {
	s.stop()
	return errors.Join(<-s.end, os.RemoveAll(s.dir))
}

// copyFolder copies a folder file by file, until ctx ends.
func copyFolder(ctx context.Context, to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error { //nolint:wrapcheck // it names the path
		if errors.Is(err, fs.ErrNotExist) && path == from {
			return fmt.Errorf("no broker was ever run in folder %s: name the one that holds the feed", from)
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, relative), 0o700)
		}
		return copyFile(filepath.Join(to, relative), path)
	})
}

func copyFile(to, from string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
