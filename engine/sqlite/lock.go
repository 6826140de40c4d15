package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// errHeld: another process, or another part of this one, has the lock.
var errHeld = errors.New("held")

// lockFile takes the lock of a database, a file beside it, for as long as the
// returned file is open. The system lets go of it when the process ends, however
// it ends. The file itself stays: to remove it would let two processes lock two
// files of one name.
func lockFile(k kind, path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s %s: create its lock file: %w", k.name, path, err)
	}
	switch err := tryLock(f); {
	case errors.Is(err, errHeld):
		err = fmt.Errorf("%s %s is in use by %s: stop that one, or choose another file", k.name, path, readHolder(f))
		return nil, withClose(err, f.Close())
	case err != nil:
		return nil, withClose(fmt.Errorf("%s %s: lock %s: %w", k.name, path, f.Name(), err), f.Close())
	}
	// The number only helps people to find the process: without it the lock holds too.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

func readHolder(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	pid, errNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || errNumber != nil:
		return "another process"
	case pid == os.Getpid():
		return "this process already"
	}
	return "process " + strconv.Itoa(pid)
}
