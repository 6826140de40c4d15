//go:build unix

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// tryLock uses flock, which belongs to the open file: other than fcntl's locks,
// it also tells apart two opens of one process.
func tryLock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor fits an int
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}
