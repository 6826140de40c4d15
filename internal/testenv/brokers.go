package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Brokers are three Kafka brokers of one test, which may kill them.
type Brokers struct {
	// Addrs are their addresses, host:port.
	Addrs []string

	t      testing.TB
	folder string
}

// StartBrokers starts three brokers, and stops them with the test. They are
// missing (see Skip) where PASSBOOK_TEST_ENGINES=start is not set.
func StartBrokers(t testing.TB) *Brokers {
	t.Helper()
	switch os.Getenv(enginesVariable) {
	case startEngines:
	case offEngines:
		skip(t, "real engines are switched off: "+enginesVariable+"="+offEngines)
	default:
		Skip(t, fmt.Sprintf("three Kafka brokers of the test's own: set %s=%s", enginesVariable, startEngines))
	}
	b := &Brokers{t: t, folder: t.TempDir()}
	t.Cleanup(func() {
		if said, err := b.script("stop", "--remove"); err != nil {
			t.Errorf("stop the brokers: %v: %s", err, said)
		}
	})
	if said, err := b.script("start", "--nodes", "3", "kafka"); err != nil {
		if exitCode(err) == notHere {
			Skip(t, said)
		}
		t.Fatalf("start three brokers: %v: %s", err, said)
	}
	for port := range b.pids() {
		b.Addrs = append(b.Addrs, "127.0.0.1:"+port)
	}
	return b
}

// Kill ends the broker at an address as a power cut would, as far as the others
// can tell, and returns once it is gone.
func (b *Brokers) Kill(addr string) {
	b.t.Helper()
	_, port, _ := strings.Cut(addr, ":")
	pid, running := b.pids()[port]
	if !running {
		b.t.Fatalf("no broker runs at %s", addr)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		b.t.Fatalf("kill -9 of the broker at %s: %v", addr, err)
	}
	for deadline := time.Now().Add(patience); b.pids()[port] == pid; {
		if time.Now().After(deadline) {
			b.t.Fatalf("the broker at %s survives kill -9", addr)
		}
	}
}

// Restart starts again what was killed, on its data and at its address, and
// returns once all brokers know each other.
func (b *Brokers) Restart() {
	b.t.Helper()
	if said, err := b.script("start", "kafka"); err != nil {
		b.t.Fatalf("start a broker again: %v: %s", err, said)
	}
}

// pids are the processes that run, by port.
func (b *Brokers) pids() map[string]int {
	b.t.Helper()
	listed, err := b.script("pids", "kafka")
	if err != nil {
		b.t.Fatalf("list the brokers: %v: %s", err, listed)
	}
	pids := make(map[string]int)
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line) // engine, node, process, port
		pid, err := strconv.Atoi(fields[2])
		if err != nil {
			b.t.Fatalf("list the brokers: %v: %s", err, listed)
		}
		pids[fields[3]] = pid
	}
	return pids
}

func (b *Brokers) script(command string, args ...string) (string, error) {
	b.t.Helper()
	return runScript(root(b.t), append([]string{command, "--folder", b.folder}, args...)...)
}

// notHere is the exit code of scripts/engines where the machine cannot have an
// engine.
const notHere = 3

// startPatience is how long an engine may take, the download included.
const startPatience = 10 * time.Minute

// runScript runs scripts/engines and returns what it printed, and what it
// complained of where it failed.
func runScript(root string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(root, "scripts", "engines"), args...)
	var said, complained strings.Builder
	command.Stdout, command.Stderr = &said, &complained
	if err := command.Run(); err != nil {
		return strings.TrimSpace(complained.String()), fmt.Errorf("scripts/engines %s: %w", args[0], err)
	}
	return said.String(), nil
}
