package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Members are the members of a MongoDB replica set of one test, which may kill
// and stop them. Not safe for concurrent use.
type Members struct {
	// Addrs are their addresses, host:port.
	Addrs []string

	t      testing.TB
	folder string
}

// StartMembers starts a replica set of one or three members, electing in about
// two seconds, and ends it with the test. Arguments are for the server's program,
// behind those that it gets anyway. Members are missing (see Skip) where
// PASSBOOK_TEST_ENGINES=start is not set.
func StartMembers(t testing.TB, count int, arguments ...string) *Members {
	t.Helper()
	switch os.Getenv(enginesVariable) {
	case startEngines:
	case offEngines:
		skip(t, "real engines are switched off: "+enginesVariable+"="+offEngines)
	default:
		Skip(t, fmt.Sprintf("MongoDB members of the test's own: set %s=%s", enginesVariable, startEngines))
	}
	m := &Members{t: t, folder: t.TempDir()}
	if err := writeArguments(filepath.Join(m.folder, "mongodb"), arguments); err != nil {
		t.Fatalf("start %d members: %v", count, err)
	}
	t.Cleanup(func() {
		if said, err := m.script("stop", "--remove"); err != nil {
			t.Errorf("stop the members: %v: %s", err, said)
		}
	})
	if said, err := m.script("start", "--nodes", strconv.Itoa(count), "mongodb"); err != nil {
		if exitCode(err) == notHere {
			Skip(t, said)
		}
		t.Fatalf("start %d members: %v: %s", count, err, said)
	}
	for _, member := range m.running() {
		m.Addrs = append(m.Addrs, member.addr)
	}
	return m
}

// writeArguments leaves arguments where the script looks for them with every
// start, one a line.
func writeArguments(folder string, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	lines := strings.Join(arguments, "\n") + "\n"
	return os.WriteFile(filepath.Join(folder, "arguments"), []byte(lines), 0o600)
}

// URL is the URL of the replica set, without a database.
func (m *Members) URL() string {
	return "mongodb://" + strings.Join(m.Addrs, ",") + "/?replicaSet=rs0"
}

// Kill ends the member at an address as a power cut would, as far as the others
// can tell, and returns once it is gone.
func (m *Members) Kill(addr string) {
	m.t.Helper()
	m.signal(addr, syscall.SIGKILL)
	for deadline := time.Now().Add(patience); m.pid(addr) != 0; {
		if time.Now().After(deadline) {
			m.t.Fatalf("the member at %s survives kill -9", addr)
		}
	}
}

// Stop has the member at an address do nothing until Continue; its connections
// stay open.
func (m *Members) Stop(addr string) {
	m.t.Helper()
	m.signal(addr, syscall.SIGSTOP)
}

// Continue has the member at an address go on.
func (m *Members) Continue(addr string) {
	m.t.Helper()
	m.signal(addr, syscall.SIGCONT)
}

// Restart starts again what was killed, on its data and at its address, and
// returns once the set has a primary and all others follow it.
func (m *Members) Restart() {
	m.t.Helper()
	if said, err := m.script("start", "mongodb"); err != nil {
		m.t.Fatalf("start a member again: %v: %s", err, said)
	}
}

func (m *Members) signal(addr string, signal syscall.Signal) {
	m.t.Helper()
	pid := m.pid(addr)
	if pid == 0 {
		m.t.Fatalf("no member runs at %s", addr)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		m.t.Fatalf("%s to the member at %s: %v", signal, addr, err)
	}
}

// pid is the process of the member at an address, 0 if it does not run.
func (m *Members) pid(addr string) int {
	m.t.Helper()
	for _, member := range m.running() {
		if member.addr == addr {
			return member.pid
		}
	}
	return 0
}

type node struct {
	addr string
	pid  int
}

func (m *Members) running() []node {
	m.t.Helper()
	listed, err := m.script("pids", "mongodb")
	if err != nil {
		m.t.Fatalf("list the members: %v: %s", err, listed)
	}
	var nodes []node
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line) // engine, node, process, port
		pid, err := strconv.Atoi(fields[2])
		if err != nil {
			m.t.Fatalf("list the members: %v: %s", err, listed)
		}
		nodes = append(nodes, node{addr: "127.0.0.1:" + fields[3], pid: pid})
	}
	return nodes
}

func (m *Members) script(command string, args ...string) (string, error) {
	m.t.Helper()
	return runScript(root(m.t), append([]string{command, "--folder", m.folder}, args...)...)
}
