package cluster_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// node is one process of an engine, and the proxy before it.
type node struct {
	engine string
	direct string // host:port, past the proxy
	proxy  *toxiproxy.Proxy
}

// engines are three members of a replica set, three brokers and a MySQL server
// of this test's own. passbook reaches each over a proxy, this test's own looks
// go past it.
type engines struct {
	folder  string
	members []*node
	brokers []*node
	mysql   *node
}

func startEngines(t *testing.T) *engines {
	t.Helper()
	switch os.Getenv("PASSBOOK_TEST_ENGINES") {
	case "start":
	case "off":
		t.Skip("real engines are switched off: PASSBOOK_TEST_ENGINES=off")
	default:
		testenv.Skip(t, "engines of the test's own: set PASSBOOK_TEST_ENGINES=start")
	}
	e := &engines{folder: t.TempDir()}
	t.Cleanup(func() {
		if said, code := e.script("stop", "--remove"); code != 0 {
			t.Errorf("stop the engines: %s", said)
		}
	})
	network := newNetwork()
	var pairs []string
	for range 3 {
		listen := testenv.FreeAddr(t)
		broker := &node{engine: "kafka", proxy: network.proxy(t, listen)}
		e.brokers = append(e.brokers, broker)
		pairs = append(pairs, listen+"="+broker.proxy.Listen)
	}
	if said, code := e.script("start", "--nosync", "--nodes", "3", "--proxied", strings.Join(pairs, ","), "mongodb", "kafka", "mysql"); code != 0 {
		const notHere = 3
		if code == notHere {
			testenv.Skip(t, said)
		}
		t.Fatalf("start the engines: %s", said)
	}
	e.place(t, network)
	e.proxyMembers(t)
	return e
}

// place learns where the nodes are.
func (e *engines) place(t *testing.T, network *network) {
	t.Helper()
	brokers := 0
	for _, line := range e.processes(t) {
		addr := "127.0.0.1:" + line.port
		switch line.engine {
		case "kafka":
			e.brokers[brokers].direct = addr
			brokers++
		case "mongodb":
			e.members = append(e.members, &node{engine: line.engine, direct: addr, proxy: network.proxy(t, addr)})
		case "mysql":
			e.mysql = &node{engine: line.engine, direct: addr, proxy: network.proxy(t, addr)}
		}
	}
	require.Equal(t, 3, brokers)
	require.Len(t, e.members, 3)
	require.NotNil(t, e.mysql)
}

type processLine struct {
	engine, port string
	pid          int
}

// processes are those that run.
func (e *engines) processes(t *testing.T) []processLine {
	t.Helper()
	listed, code := e.script("pids")
	require.Zero(t, code, listed)
	var lines []processLine
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line) // engine, node, process, port
		pid, err := strconv.Atoi(fields[2])
		require.NoError(t, err, listed)
		lines = append(lines, processLine{fields[0], fields[3], pid})
	}
	return lines
}

// kill ends nodes as power cuts would, as far as the others can tell, and
// returns once they are gone.
func (e *engines) kill(t *testing.T, nodes ...*node) {
	t.Helper()
	running := e.processes(t)
	for _, n := range nodes {
		_, port, _ := strings.Cut(n.direct, ":")
		killed := false
		for _, p := range running {
			if p.engine == n.engine && p.port == port {
				require.NoError(t, syscall.Kill(p.pid, syscall.SIGKILL))
				awaitGone(t, p.pid)
				killed = true
			}
		}
		require.True(t, killed, "no %s runs at %s", n.engine, n.direct)
	}
}

// awaitGone returns when there is no such process any more, or nothing of it
// but its number.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	await(t, func() string {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		_, state, _ := strings.Cut(string(stat), ") ")
		return unless(err != nil || strings.HasPrefix(state, "Z"), "process %d survives kill -9", pid)
	})
}

// restart starts again what was killed, on its data and at its address, and
// returns once the whole engine is ready.
func (e *engines) restart(t *testing.T, engine string) {
	t.Helper()
	e.beginRestart(t, engine)()
}

// beginRestart is restart without waiting; back waits. The script gives up
// earlier than we do.
func (e *engines) beginRestart(t *testing.T, engine string) (back func()) {
	t.Helper()
	outcome := make(chan string, 1)
	go func() {
		for deadline := time.Now().Add(patience); ; {
			said, code := e.script("start", "--nosync", engine)
			if code == 0 || time.Now().After(deadline) {
				outcome <- unless(code == 0, "%s does not come back: %s", engine, said)
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		t.Helper()
		if why := <-outcome; why != "" {
			t.Fatal(why)
		}
	})
}

// heal brings back what a scenario that failed has left broken.
func (e *engines) heal(t *testing.T) {
	t.Helper()
	for _, n := range slices.Concat(e.members, e.brokers, []*node{e.mysql}) {
		n.proxy.Toxics.ResetToxics(context.Background())
	}
	for _, engine := range []string{"mongodb", "kafka", "mysql"} {
		e.restart(t, engine)
	}
}

// script runs scripts/engines, and returns what it said and its exit code, -1 if
// it could not be run.
func (e *engines) script(command string, args ...string) (said string, code int) {
	const downloadIncluded = 10 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), downloadIncluded)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join("..", "..", "scripts", "engines"), append([]string{command, "--folder", e.folder}, args...)...)
	var out, complaints strings.Builder
	run.Stdout, run.Stderr = &out, &complaints
	if err := run.Run(); err != nil {
		return fmt.Sprintf("%v: %s", err, complaints.String()), run.ProcessState.ExitCode() // -1 of one that did not run
	}
	return out.String(), 0
}

// addrs are the addresses of nodes as passbook knows them.
func addrs(nodes []*node) string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.proxy.Listen
	}
	return strings.Join(list, ",")
}
