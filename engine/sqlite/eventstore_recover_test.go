package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
)

var recoveredAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recoverFrom puts a back-up in place and returns where the old store is.
func recoverFrom(t *testing.T, backup, path string) (aside string, r *sqlite.Recovery) {
	t.Helper()
	r, err := sqlite.PrepareRecovery(t.Context(), backup, path)
	require.NoError(t, err)
	aside, err = r.Swap(t.Context(), recoveredAt)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return aside, r
}

// lookAt reads one row as another program would.
func lookAt(t *testing.T, path, query string) []any {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	require.True(t, rows.Next())
	columns, err := rows.Columns()
	require.NoError(t, err)
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	require.NoError(t, rows.Scan(into...))
	return row
}

// The store stands where it stood when the back-up was taken, and goes on from
// there under another history; the old one is kept whole.
func TestRecovery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, bak := filepath.Join(dir, "events.db"), filepath.Join(dir, "bak")
	store := filled(t, path, 3)
	before, err := store.History(t.Context())
	require.NoError(t, err)
	backup := backUp(t, store, bak)
	require.Equal(t, sqlite.Backup{History: before, Head: 6}, backup)
	fill(t, store, 2)
	require.NoError(t, store.Close())

	aside, r := recoverFrom(t, bak, path)
	require.Equal(t, path+".before-20260301T120000Z", aside)
	require.Equal(t, backup, r.Backup)
	store = openStore(t, path)
	requireWholeStore(t, store, 6)
	history, err := store.History(t.Context())
	require.NoError(t, err)
	require.Equal(t, r.History, history)
	require.NotEqual(t, before, history)
	fill(t, store, 1)
	requireWholeStore(t, store, 8)
	require.NoError(t, store.Close())
	old := openStore(t, aside)
	requireWholeStore(t, old, 10)
	require.NoError(t, old.Close())

	// What was put aside can be put back, in its turn under a new history.
	again, r2 := recoverFrom(t, aside, path)
	require.Equal(t, path+".before-20260301T120000Z-2", again)
	require.NotEqual(t, before, r2.History)
	requireWholeStore(t, openStore(t, path), 10)
}

// Without a store there is nothing to keep.
func TestRecovery_IntoNothing(t *testing.T) {
	t.Parallel()
	bak := filepath.Join(t.TempDir(), "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 2), bak)
	path := filepath.Join(t.TempDir(), "events.db")
	aside, _ := recoverFrom(t, bak, path)
	require.Empty(t, aside)
	require.ElementsMatch(t, []string{"events.db", "events.db.lock"}, names(t, filepath.Dir(path)))
	requireWholeStore(t, openStore(t, path), 4)
}

// killedWithLog leaves a store whose writer was killed: its last commits are in
// the write-ahead log alone, which SQLite would apply to any file of that name.
func killedWithLog(t *testing.T, path string) {
	t.Helper()
	cmd, lines := startWriter(t, path)
	for range 20 {
		require.True(t, lines.Scan())
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Positive(t, log.Size())
}

// Old log and new store do not mix.
func TestRecovery_OldLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, bak := filepath.Join(dir, "events.db"), filepath.Join(dir, "bak")
	store := filled(t, path, 3)
	backUp(t, store, bak)
	require.NoError(t, store.Close())
	require.NoError(t, os.Remove(path))
	killedWithLog(t, path)

	aside, _ := recoverFrom(t, bak, path)
	for _, suffix := range []string{"-wal", "-shm"} {
		require.NoFileExists(t, path+suffix)
		require.NoFileExists(t, aside+suffix)
	}
	requireWholeStore(t, openStore(t, path), 6)
	requireWhole(t, aside, 60)
}

// damage makes a store that SQLite cannot open, with a log beside it.
func damage(t *testing.T, path string) {
	t.Helper()
	killedWithLog(t, path)
	for _, file := range []string{path, path + "-wal"} {
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("overwritten ", 1000)), 0o600))
	}
}

// The worse the store is damaged, the more a back-up is wanted. What is left of
// the store is kept, its log too.
func TestRecovery_OfADamagedStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, bak := filepath.Join(dir, "events.db"), filepath.Join(dir, "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 3), bak)
	damage(t, path)
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	aside, _ := recoverFrom(t, bak, path)
	requireWholeStore(t, openStore(t, path), 6)
	content, err := os.ReadFile(aside)
	require.NoError(t, err)
	require.Contains(t, string(content), "overwritten")
	kept, err := os.ReadFile(aside + "-wal")
	require.NoError(t, err)
	require.Equal(t, log, kept)
	require.NoFileExists(t, path+".recovering")
}

// swapEnv makes the test binary a process that recovers a store and is killed
// at one step: "backup|store|step".
const swapEnv = "SQLITE_TEST_SWAP"

func swapAndDie(spec string) error {
	parts := strings.Split(spec, "|")
	r, err := sqlite.PrepareRecovery(context.Background(), parts[0], parts[1])
	if err != nil {
		return err
	}
	n := 0
	r.OnReached(func(step string) {
		if n++; strconv.Itoa(n) == parts[2] {
			fmt.Println(step)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	if parts[2] == "0" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	if _, err := r.Swap(context.Background(), recoveredAt); err != nil {
		return err
	}
	fmt.Println("done")
	return r.Close()
}

// runSwap returns the step at which the process was killed, "done" if it was not.
func runSwap(t *testing.T, bak, path string, step int) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d", swapEnv, bak, path, step))
	out, err := cmd.Output()
	if strings.TrimSpace(string(out)) != "done" {
		require.ErrorContains(t, err, "killed", "%s", out)
	}
	return strings.TrimSpace(string(out))
}

// Killed at any step, there is the old store or the new one, whole, and the same
// recovery can be run again.
func TestRecovery_KilledAtEachStep(t *testing.T) {
	t.Parallel()
	bak := filepath.Join(t.TempDir(), "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 3), bak)
	for step := 0; ; step++ {
		path := filepath.Join(t.TempDir(), "events.db")
		killedWithLog(t, path)
		at := runSwap(t, bak, path, step)
		require.Less(t, step, 20)
		store, err := sqlite.OpenEventStore(t.Context(), path)
		require.NoError(t, err, at)
		head, err := store.Head(t.Context())
		require.NoError(t, err)
		if at == "done" || at == "put the back-up in place" {
			requireWholeStore(t, store, 6)
		} else {
			require.GreaterOrEqual(t, head, int64(60), "the old store, after %q", at)
		}
		require.NoError(t, store.Close())
		if head != 6 {
			requireWhole(t, path, 60)
		}
		if at == "done" {
			require.Equal(t, 6, step, "steps that were tried")
			return
		}
		recoverFrom(t, bak, path)
		requireWholeStore(t, openStore(t, path), 6)
	}
}

// Of a damaged store with a log there is a moment at which neither can be
// opened; never one at which one is opened with the other's log.
func TestRecovery_OfADamagedStore_KilledAtEachStep(t *testing.T) {
	t.Parallel()
	bak := filepath.Join(t.TempDir(), "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 3), bak)
	for step := 0; ; step++ {
		path := filepath.Join(t.TempDir(), "events.db")
		damage(t, path)
		at := runSwap(t, bak, path, step)
		require.Less(t, step, 20)
		for _, open := range []func(context.Context, string) (*sqlite.EventStore, error){sqlite.OpenEventStore, sqlite.OpenEventStoreReadOnly} {
			store, err := open(t.Context(), path)
			switch at {
			case "done", "take the mark away":
				require.NoError(t, err)
				requireWholeStore(t, store, 6)
				require.NoError(t, store.Close())
			case "":
				requireOneLine(t, err, "not a SQLite database")
			default:
				requireOneLine(t, err, "a recovery of it was interrupted: run passbook recover again")
				require.ErrorIs(t, err, eventstore.ErrNoHistory)
			}
		}
		if at == "done" {
			require.Equal(t, 8, step, "steps that were tried")
			return
		}
		recoverFrom(t, bak, path)
		requireWholeStore(t, openStore(t, path), 6)
		logs, err := filepath.Glob(path + ".before-*-wal")
		require.NoError(t, err)
		if at != "" && at != "take the mark away" { // else: SQLite has deleted the log when it was opened just now; or it was kept before
			require.Len(t, logs, 1, "the log is kept, after %q", at)
			require.FileExists(t, strings.TrimSuffix(logs[0], "-wal"))
		}
	}
}

// A program that reads the old store keeps its log from being carried over. It
// has to be stopped; until then nothing is touched.
func TestRecovery_OldStoreIsRead(t *testing.T) {
	t.Parallel()
	bak := filepath.Join(t.TempDir(), "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 3), bak)
	path := filepath.Join(t.TempDir(), "events.db")
	store := filled(t, path, 1)
	release := hold(t, path, "BEGIN; SELECT position FROM event")
	fill(t, store, 1)
	require.NoError(t, store.Close())
	r, err := sqlite.PrepareRecovery(t.Context(), bak, path)
	require.NoError(t, err)
	_, err = r.Swap(t.Context(), recoveredAt)
	requireOneLine(t, err, path, "another program reads: stop that one")
	require.NoError(t, r.Close())
	release()
	requireWholeStore(t, openStore(t, path), 4)
	left, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	require.Equal(t, []string{path + ".lock"}, left)
}
