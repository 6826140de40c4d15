package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// benchProgram prepares "passbook bench" with its folder beside data.
func benchProgram(t *testing.T, data string, args ...string) (program *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	program = exec.Command(testenv.Program(t), append([]string{"bench", "--data", data}, args...)...)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	program.Stdout, program.Stderr = stdout, stderr
	return program, stdout, stderr
}

func TestBench_JSON(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	program, stdout, stderr := benchProgram(t, data, "append", "--duration", "100ms", "--callers", "4", "--json")
	require.NoError(t, program.Run(), stderr)
	require.Contains(t, stderr.String(), "bench append: 100 %")
	var members map[string]any
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &members), "one object and nothing else")
	require.Equal(t, "append", members["name"])
	require.Equal(t, "events/s", members["unit"])
	for _, name := range []string{"value", "yardstick", "ratio", "p50_ms", "p99_ms", "p999_ms", "max_ms"} {
		require.Positive(t, members[name], name)
	}
	nothingIn(t, filepath.Dir(data))
}

func nothingIn(t *testing.T, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestBench_Text(t *testing.T) {
	program, stdout, stderr := benchProgram(t, filepath.Join(t.TempDir(), "data"), "commands", "--duration", "100ms", "--connections", "2", "--accounts", "3")
	require.NoError(t, program.Run(), stderr)
	require.Regexp(t, `(?s)^commands: [\d.,]+ commands/s; yardstick [\d.,]+ commands/s \(HTTP echo.*\); ratio [\d.]+
  latency: p50 .*, p99 .*, p99.9 .*, max .* ms
  all roles in one process: .* commands/s; .*
  on SQLite, SQLite, embedded broker; 2 connections, 3 accounts, role command alone, 0.1s each
$`, stdout.String())
}

func TestBench_Interrupted(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	program, stdout, stderr := benchProgram(t, data, "commands", "--duration", "1h")
	require.NoError(t, program.Start())
	measuring := func() bool { // its folder, and those of its services in it
		found, err := filepath.Glob(filepath.Join(filepath.Dir(data), "*", "*", "lock"))
		return err == nil && len(found) > 0
	}
	require.Eventually(t, measuring, time.Minute, 5*time.Millisecond)
	require.NoError(t, program.Process.Signal(os.Interrupt))
	err := program.Wait()
	require.Error(t, err)
	require.Equal(t, exitInterrupted, program.ProcessState.ExitCode(), stderr)
	require.Empty(t, stdout.String())
	nothingIn(t, filepath.Dir(data))
}

func TestBench_Refused(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"speed", `NAME: there is no bench "speed": want one of append, commands, hot-account, queries, relay, projection, restore, end-to-end`},
		{"append --duration 1ms", "--duration: 1ms is out of range"},
		{"append --callers 0", "--callers: 0 is out of range"},
		{"append --processes 65", "--processes: 65 is out of range"},
		{"append --processes 2", "--processes: one process alone may write to SQLite"},
		{"end-to-end --rate=-1", "--rate: -1 is out of range"},
		{"append --event-store oracle:", "PASSBOOK_EVENT_STORE (--event-store)"},
		{"append --read-db oracle:", "PASSBOOK_READ_DB (--read-db)"},
		{"append --join", "--join: PASSBOOK_EVENT_STORE (--event-store) names no store of a bench"},
	} {
		folder := t.TempDir()
		var stdout, stderr bytes.Buffer
		args := append([]string{"bench", "--data", filepath.Join(folder, "data")}, strings.Fields(c.args)...)
		require.Equal(t, exitUsage, execute(args, &stdout, &stderr), c.args)
		require.Contains(t, stderr.String(), c.says)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line")
		nothingIn(t, folder)
	}
}

func TestBench_Echo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	cancel() // it says where it listens, and ends
	require.NoError(t, (&benchCommand{Name: benchEcho}).Run(ctx, output{stderr: &stderr}))
	require.Contains(t, stderr.String(), `"echo":"http://127.0.0.1:`)
}
