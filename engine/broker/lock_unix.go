//go:build unix

package broker

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock that path stands for, or returns errHeld. The operating system gives it back when the file is
// closed, and so also when the process dies. The file itself stays: a process that removed it could take another's lock away.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errHeld
	}
	return nil, errors.Join(err, f.Close())
}
