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

// nodes are the processes of an engine of one test, which may kill and stop
// them. Not safe for concurrent use.
type nodes struct {
	// Addrs are their addresses, host:port.
	Addrs []string

	t              testing.TB
	engine, folder string
}

// startNodes starts so many, and ends them with the test. Arguments are for the
// engine's program.
func startNodes(t testing.TB, engine string, count int, arguments ...string) *nodes {
	t.Helper()
	switch os.Getenv(enginesVariable) {
	case startEngines:
	case offEngines:
		skip(t, "real engines are switched off: "+enginesVariable+"="+offEngines)
	default:
		Skip(t, fmt.Sprintf("%d nodes of %s of the test's own: set %s=%s", count, engine, enginesVariable, startEngines))
	}
	n := &nodes{t: t, engine: engine, folder: t.TempDir()}
	if err := writeArguments(filepath.Join(n.folder, engine), arguments); err != nil {
		t.Fatalf("start %s: %v", engine, err)
	}
	t.Cleanup(func() {
		if said, err := n.script("stop", "--remove"); err != nil {
			t.Errorf("stop %s: %v: %s", engine, err, said)
		}
	})
	if said, err := n.script("start", "--nosync", "--nodes", strconv.Itoa(count), engine); err != nil {
		if exitCode(err) == notHere {
			Skip(t, said)
		}
		t.Fatalf("start %s: %v: %s", engine, err, said)
	}
	for _, node := range n.running() {
		n.Addrs = append(n.Addrs, node.addr)
	}
	return n
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

// Kill ends the node at an address as a power cut would, as far as the others can
// tell, and returns once it is gone.
func (n *nodes) Kill(addr string) {
	n.t.Helper()
	n.signal(addr, syscall.SIGKILL)
	for deadline := time.Now().Add(patience); n.pid(addr) != 0; {
		if time.Now().After(deadline) {
			n.t.Fatalf("the node at %s survives kill -9", addr)
		}
	}
}

// Stop has the node at an address do nothing until Continue; its connections stay
// open.
func (n *nodes) Stop(addr string) {
	n.t.Helper()
	n.signal(addr, syscall.SIGSTOP)
}

// Continue has the node at an address go on.
func (n *nodes) Continue(addr string) {
	n.t.Helper()
	n.signal(addr, syscall.SIGCONT)
}

// Restart starts again what was killed, on its data and at its address, and
// returns once the engine is whole again: all brokers know each other, all members
// follow a primary.
func (n *nodes) Restart() {
	n.t.Helper()
	if said, err := n.script("start", "--nosync", n.engine); err != nil {
		n.t.Fatalf("start %s again: %v: %s", n.engine, err, said)
	}
}

func (n *nodes) signal(addr string, signal syscall.Signal) {
	n.t.Helper()
	pid := n.pid(addr)
	if pid == 0 {
		n.t.Fatalf("no node runs at %s", addr)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		n.t.Fatalf("%s to the node at %s: %v", signal, addr, err)
	}
}

// pid is the process of the node at an address, 0 if it does not run.
func (n *nodes) pid(addr string) int {
	n.t.Helper()
	for _, node := range n.running() {
		if node.addr == addr {
			return node.pid
		}
	}
	return 0
}

type node struct {
	addr string
	pid  int
}

func (n *nodes) running() []node {
	n.t.Helper()
	listed, err := n.script("pids", n.engine)
	if err != nil {
		n.t.Fatalf("list the nodes of %s: %v: %s", n.engine, err, listed)
	}
	var running []node
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line) // engine, node, process, port
		pid, err := strconv.Atoi(fields[2])
		if err != nil {
			n.t.Fatalf("list the nodes of %s: %v: %s", n.engine, err, listed)
		}
		running = append(running, node{addr: "127.0.0.1:" + fields[3], pid: pid})
	}
	return running
}

func (n *nodes) script(command string, args ...string) (string, error) {
	n.t.Helper()
	return runScript(root(n.t), append([]string{command, "--folder", n.folder}, args...)...)
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
