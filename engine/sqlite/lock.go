package sqlite

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockFile takes the lock of a database, a file beside it, until the returned
// closer is closed. The system lets go of it when the process ends, however it
// ends. The file itself stays: to remove it would let two processes lock two
// files of one name.
func lockFile(k kind, path string) (io.Closer, error) {
	name := path + ".lock"
	lock := flock.New(name, flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%s %s: lock %s: %w", k.name, path, name, err)
	}
	if !held {
		return nil, fmt.Errorf("%s %s is in use by %s: stop that one, or choose another file", k.name, path, holder(name))
	}
	// The number only helps people to find the process: without it the lock holds too.
	_ = os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
	return lock, nil
}

func holder(name string) string {
	text, err := os.ReadFile(name)
	pid, errNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || errNumber != nil:
		return "another process"
	case pid == os.Getpid():
		return "this process already"
	}
	return "process " + strconv.Itoa(pid)
}
