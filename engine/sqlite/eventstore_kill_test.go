package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
)

// writerEnv makes the test binary a process that writes to the file which it
// names, and prints each position that it was told is written.
const writerEnv = "SQLITE_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(2)
	}
	if spec := os.Getenv(swapEnv); spec != "" {
		if err := swapAndDie(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func writeForEver(path string) error {
	ctx := context.Background()
	store, err := sqlite.OpenEventStore(ctx, path)
	if err != nil {
		return err
	}
	next, err := store.Head(ctx)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		c := opening(fmt.Sprintf("%d of %d", i, os.Getpid()), 3)
		outcomes, err := store.Append(ctx, next+1, []eventstore.Commit{c})
		if err != nil || outcomes[0].State != eventstore.Written {
			return fmt.Errorf("%+v: %w", outcomes, err)
		}
		next += 3
		fmt.Println(next)
	}
}

func startWriter(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// TestEventStore_Kill: a process that is killed at any moment loses nothing of
// what it was told is written, and leaves no half of a commit.
func TestEventStore_Kill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	told := int64(0)
	for round := range 5 {
		cmd, lines := startWriter(t, path)
		for range 20 + 37*round {
			require.True(t, lines.Scan(), "the writer ended")
		}
		require.NoError(t, cmd.Process.Kill())
		for last := lines.Text(); ; last = lines.Text() {
			position, err := strconv.ParseInt(last, 10, 64)
			require.NoError(t, err)
			told = max(told, position)
			if !lines.Scan() || lines.Text() == "" {
				break
			}
		}
		_ = cmd.Wait() // it was killed
		requireWhole(t, path, told)
	}
}

func requireWhole(t *testing.T, path string, told int64) {
	t.Helper()
	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	defer store.Close()
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, log.Size(), "what is in the log is not known to be on the disk")
	page, err := store.ReadAll(t.Context(), 0, 1_000_000)
	require.NoError(t, err)
	require.GreaterOrEqual(t, int64(len(page)), told, "events are missing")
	require.Zero(t, len(page)%3, "half a commit")
	for i, e := range page {
		require.Equal(t, int64(i+1), e.Position)
		require.Equal(t, int64(i%3), e.Version)
	}
}

func TestOpenEventStore_InUseByAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	cmd, lines := startWriter(t, path)
	require.True(t, lines.Scan(), "the writer ended")
	go func() { _, _ = io.Copy(io.Discard, lineReader{lines}) }()
	_, err := sqlite.OpenEventStore(t.Context(), path)
	requireOneLine(t, err, path, "in use by process "+strconv.Itoa(cmd.Process.Pid))
	reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err, "reading beside it is allowed")
	require.NoError(t, reader.Close())
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	openStore(t, path)
}

// lineReader drains a scanner, so that the writer does not wait for its reader.
type lineReader struct{ lines *bufio.Scanner }

func (r lineReader) Read(p []byte) (int, error) {
	if !r.lines.Scan() {
		return 0, io.EOF
	}
	return copy(p, strings.TrimSpace(r.lines.Text())), nil
}
