package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	reloadInterval = 2 * time.Second
	fileMax        = 4 << 20
)

// File is a file of keys that is read again when it changes, so that a key can
// be given and taken away while services run. Safe for concurrent use.
type File struct {
	path    string
	log     *slog.Logger
	keys    atomic.Pointer[Keys]
	content []byte // as last read, good or not; Run's alone after Open
}

// OpenFile reads a file of keys. The error is for people, and names the file.
func OpenFile(path string, log *slog.Logger) (*File, error) {
	f := &File{path: path, log: log}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Keys returns the keys of the file as it last was without a fault.
func (f *File) Keys() *Keys { return f.keys.Load() }

// Run looks every two seconds whether the file has changed, until ctx ends. A
// file that cannot be read, or is wrong, is logged, and the keys stay what they
// were: a slip of an editor must not lock everybody out.
func (f *File) Run(ctx context.Context) error {
	ticker := time.NewTicker(reloadInterval)
	defer ticker.Stop()
	var told string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := f.load()
		switch {
		case err == nil:
			told = ""
		case err.Error() != told:
			told = err.Error()
			f.log.ErrorContext(ctx, "the API keys stay what they were", "error", err)
		}
	}
}

// load reads the file if its content is another than the last. Times of files
// are too coarse to tell.
func (f *File) load() error {
	content, err := readFile(f.path)
	if err != nil {
		return err
	}
	if f.keys.Load() != nil && bytes.Equal(content, f.content) {
		return nil
	}
	keys, err := ParseKeys(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	if f.keys.Swap(keys) != nil {
		f.log.Info("API keys were read again", "file", f.path, "keys", len(keys.clients))
	}
	f.content = content
	return nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file and what is wrong with it
	}
	content, err := io.ReadAll(io.LimitReader(file, fileMax+1))
	if err == nil && len(content) > fileMax {
		err = fmt.Errorf("%s: larger than %d bytes", path, fileMax)
	}
	return content, errors.Join(err, file.Close())
}
