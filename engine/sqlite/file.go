package sqlite

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// Files as a whole, for back-ups and their return.

// copyFile copies a file over another, and makes that durable.
func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return withClose(err, in.Close())
	}
	if _, err = io.Copy(out, &interruptible{ctx, in}); err == nil {
		err = out.Sync()
	}
	return withClose(withClose(err, out.Close()), in.Close())
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context //nolint:containedctx // as long as one copy
	in  io.Reader
}

// Read implements io.Reader.
func (r *interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
}

// linkOrCopy gives a file a second name; where the file system has no such
// thing, it makes a copy.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(context.Background(), from, to)
}

// syncFile makes a file that others have written durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return withClose(f.Sync(), f.Close())
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return withClose(f.Sync(), f.Close())
}

func removeIfThere(path string) error { return unlessMissing(os.Remove(path)) }

func renameIfThere(from, to string) error { return unlessMissing(os.Rename(from, to)) }

func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// freeName returns the name, or where it is taken one with a number behind it.
func freeName(name string) string {
	free := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = name + "-" + strconv.Itoa(n)
	}
}
