package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// A demo fills the system, counts what it did, and goes on with its accounts when
// it is started again.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	var sum struct{ Accounts, Movements, Refused int }
	for range 2 {
		out := s.done("demo --accounts 20 --rate 200 --duration 1s --seed 5 --json")
		require.NoError(t, json.Unmarshal([]byte(out), &sum))
		require.Equal(t, 20, sum.Accounts)
		require.Positive(t, sum.Movements)
	}
	s.visible("demo-5-0020", 0)
	require.Contains(t, s.done("accounts get demo-5-0001"), "Account  demo-5-0001")
	require.Contains(t, s.done("accounts list --all"), "demo-5-0020")
}

// Who has seen enough ends it, and reads what was done. The exit code tells that
// it did not end by itself.
func TestDemo_Interrupted(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir())
	demo := exec.CommandContext(t.Context(), testenv.Program(t), "demo", "--command-url", p.Command, "--accounts", "3", "--rate", "0.001")
	var stdout strings.Builder
	demo.Stdout = &stdout
	stderr, err := demo.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, demo.Start())
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan(), "it says something once it has begun")
	require.NoError(t, demo.Process.Signal(os.Interrupt))
	for lines.Scan() { // to its end
	}
	var exit *exec.ExitError
	require.ErrorAs(t, demo.Wait(), &exit)
	require.Equal(t, exitInterrupted, exit.ExitCode())
	require.Regexp(t, `^demo: \d+ accounts, \d+ movements, [\d.]+/s\n$`, stdout.String())
}

// On a terminal progress is drawn over in place, and standard output, which is
// not one here, has the result alone.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	script, err := exec.LookPath("script")
	if err != nil {
		testenv.Skip(t, "script(1), which gives a program a terminal")
	}
	url := restoring(t, restoreHalf, restoreDone)
	line := testenv.Program(t) + " restore --command-url " + url + " >/dev/null"
	run := exec.CommandContext(t.Context(), script, "-qec", line, "/dev/null")
	run.Env = append(os.Environ(), "TERM=xterm")
	run.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := run.Output()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "\r\x1b[2K\x1b[?7lrestore [###############...............]  50 %  1,000 of 2,000\x1b[?7h")
	require.True(t, strings.HasSuffix(string(out), "[##############################] 100 %  2,000 of 2,000\x1b[?7h\r\n"), "%q", out)
}

// Who interrupts a command that is on its way learns that it may have been
// carried out, and how to find out.
func TestInterruptedOnTheWay(t *testing.T) {
	t.Parallel()
	keys := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client has gone
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	deposit := exec.CommandContext(t.Context(), testenv.Program(t), "accounts", "deposit", "ann", "5", "--command-url", server.URL, "--timeout", "1h")
	var stderr strings.Builder
	deposit.Stderr = &stderr
	require.NoError(t, deposit.Start())
	key := <-keys
	require.NoError(t, deposit.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	require.ErrorAs(t, deposit.Wait(), &exit)
	require.Equal(t, exitInterrupted, exit.ExitCode())
	require.Contains(t, stderr.String(), "repeat the same command with --key "+key+" to find out\n")
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
}

// The whole way, on a system that runs: the read model is built again, and says
// what it said before; nothing is parked.
func TestRestore_OfARunningSystem(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.done("accounts open --holder Ann --balance 50 --id ann")
	s.done("accounts withdraw ann 20")
	s.visible("ann", 1)
	before := s.done("accounts list --json")
	require.Regexp(t, `^restore \S+ is done: the read model was built again from 2 events\n$`, s.done("restore"))
	require.Equal(t, before, s.done("accounts list --json"))
	require.Empty(t, s.done("parked list"))
	require.Equal(t, `{"parked":[]}`+"\n", s.done("parked list --json"))
	s.no("parked show ann")
}
