package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// FreeAddr returns an address on loopback where nobody listens, and which no other
// test gets until this one is over. Its port is not one that the system gives away
// by itself, so that it is still free when the test takes it, gives it back and
// takes it again.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if !claim(t, port) {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return addr
	}
	t.Fatal("no free port from 20000 to 29999")
	return ""
}

// claim tells whether the port is this test's alone. Tests of other processes see
// it by the lock on a file, which the system takes back from one that is killed.
func claim(t testing.TB, port int) bool {
	t.Helper()
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("passbook-ports-%d", os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, strconv.Itoa(port))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !isStill(path, file) {
		_ = file.Close()
		return false
	}
	t.Cleanup(func() {
		_ = os.Remove(path)
		_ = file.Close()
	})
	return true
}

// isStill tells whether the file is there under its name: who had it before removes
// it, perhaps after it was opened here.
func isStill(path string, file *os.File) bool {
	named, err := os.Stat(path)
	if err != nil {
		return false
	}
	opened, err := file.Stat()
	return err == nil && os.SameFile(named, opened)
}
