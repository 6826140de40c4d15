package broker

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ConfigError says in one line why a field of Config cannot be used, and what to do. The caller knows under which name
// its user set that field, and adds it.
type ConfigError struct {
	Field string // the field of Config: "Addr" or "Dir"
	Err   error
}

func (e *ConfigError) Error() string { return "broker: " + e.Err.Error() }

func (e *ConfigError) Unwrap() error { return e.Err }

// environmental tells errors of the machine (no permission, a full disk, too many open files) from those of the files'
// content. Moving the files aside would not help against the former and would throw away a folder that is well.
func environmental(err error) bool {
	if errors.Is(err, fs.ErrPermission) {
		return true
	}
	for _, no := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// cause strips what net and os put around an error of the operating system; our own line names the address or path.
func cause(err error) error {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		return call.Err
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}
