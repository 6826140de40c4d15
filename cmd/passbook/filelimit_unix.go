//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// limitIsAnError lets a write beyond the process's limit of file sizes fail as
// one on a full disk does. The signal would end the program in the middle.
func limitIsAnError() { signal.Ignore(syscall.SIGXFSZ) }
