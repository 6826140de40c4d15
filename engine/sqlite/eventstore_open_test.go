package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
)

func openStore(t *testing.T, path string) *sqlite.EventStore {
	t.Helper()
	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// opening is a commit of n events that begins a stream.
func opening(stream string, n int) eventstore.Commit {
	c := eventstore.Commit{Stream: stream, Expected: event.NoVersion}
	for i := range n {
		c.Events = append(c.Events, benchEvent(stream, int64(i)))
	}
	return c
}

func mustAppend(t *testing.T, store *sqlite.EventStore, first int64, group ...eventstore.Commit) {
	t.Helper()
	outcomes, err := store.Append(t.Context(), first, group)
	require.NoError(t, err)
	for _, outcome := range outcomes {
		require.Equal(t, eventstore.Written, outcome.State)
	}
}

// execute runs SQL on a file as another program would.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, db.Close())
}

// requireOneLine checks an error as people see it.
func requireOneLine(t *testing.T, err error, words ...string) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	for _, word := range words {
		require.Contains(t, err.Error(), word)
	}
}

func TestOpenEventStore_WrongFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, says string
		make       func(t *testing.T, path string)
	}{
		{"text", "not a SQLite database", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600))
		}},
		{"short text", "not a SQLite database", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("x\n"), 0o600))
		}},
		{"another database", "of something else", func(t *testing.T, path string) {
			execute(t, path, "CREATE TABLE t (a)")
		}},
		{"another application", "of something else", func(t *testing.T, path string) {
			execute(t, path, "PRAGMA application_id = 7", "CREATE TABLE event (a)")
		}},
		{"newer tables", "use a newer program", func(t *testing.T, path string) {
			store, err := sqlite.OpenEventStore(t.Context(), path)
			require.NoError(t, err)
			require.NoError(t, store.Close())
			execute(t, path, "PRAGMA user_version = 99")
		}},
		{"folder", "no regular file", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "events.db")
			test.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := sqlite.OpenEventStore(t.Context(), path)
			requireOneLine(t, err, path, test.says)
			require.NoFileExists(t, path+"-wal")
			_, err = sqlite.OpenEventStoreReadOnly(t.Context(), path)
			requireOneLine(t, err, path, test.says)
			after, _ := os.ReadFile(path)
			require.Equal(t, before, after, "the file was changed")
			// The refusal leaves no lock behind.
			require.NoError(t, os.RemoveAll(path))
			openStore(t, path)
		})
	}
}

func TestOpenEventStore_NoFolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "events.db")
	_, err := sqlite.OpenEventStore(t.Context(), path)
	requireOneLine(t, err, filepath.Dir(path))
	_, err = sqlite.OpenEventStoreReadOnly(t.Context(), path)
	requireOneLine(t, err, path)
}

// TestOpenEventStore_OddNames: a path is a path, whatever it holds.
func TestOpenEventStore_OddNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "ü.db", "what?mode=ro.db", "100%25.db", "a#b.db", "a&_pragma=x.db", "file:x.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			mustAppend(t, openStore(t, path), 1, opening("a", 1))
			require.FileExists(t, path)
			reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
			require.NoError(t, err)
			defer reader.Close()
			head, err := reader.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, int64(1), head)
		})
	}
}

// TestOpenConn: SQLite says nothing when it does not take a setting.
func TestOpenConn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	require.NoError(t, sqlite.OpenConn(t.Context(), path, "synchronous", "FULL", "2"))
	require.ErrorContains(t, sqlite.OpenConn(t.Context(), path, "synchronous", "FUL", "2"), "synchronous")
	require.ErrorContains(t, sqlite.OpenConn(t.Context(), path, "sinchronous", "FULL", "2"), "unknown")
	require.ErrorContains(t, sqlite.OpenConn(t.Context(), ":memory:", "journal_mode", "DELETE", "wal"), "must be wal")
}

func TestEventStore_WriterSettings(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "foreign_keys": "1",
		"application_id": strconv.Itoa(0x50426576), "user_version": "2",
	} {
		var got string
		require.NoError(t, store.Writer().QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got))
		require.Equal(t, want, got, name)
	}
}

func TestOpenEventStore_InUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	store := openStore(t, path)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	for _, name := range []string{path, link} {
		_, err := sqlite.OpenEventStore(t.Context(), name)
		requireOneLine(t, err, path, "in use by this process already")
	}
	require.NoError(t, store.Close())
	openStore(t, path)
}

func TestEventStore_Close(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	mustAppend(t, store, 1, opening("a", 1))
	require.NoError(t, store.Close())
	require.NoError(t, store.Close())
	_, err := store.Head(t.Context())
	require.ErrorContains(t, err, "closed")
	_, err = store.Append(t.Context(), 2, []eventstore.Commit{opening("b", 1)})
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.ErrorContains(t, err, "closed")
}

func TestOpenEventStoreReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	_, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	requireOneLine(t, err, path)
	require.NoFileExists(t, path, "who only reads creates nothing")

	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	mustAppend(t, store, 1, opening("a", 2))
	reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	defer reader.Close()
	requireHead(t, reader, 2)
	mustAppend(t, store, 3, opening("b", 1)) // beside the reader
	requireHead(t, reader, 3)

	_, err = reader.Append(t.Context(), 4, []eventstore.Commit{opening("c", 1)})
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.ErrorContains(t, err, "reading only")
	require.Error(t, reader.SaveSnapshot(t.Context(), eventstore.Snapshot{Stream: "a"}))

	require.NoError(t, store.Close())
	requireHead(t, reader, 3)
	alone, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	requireHead(t, alone, 3)
	require.NoError(t, alone.Close())
	mustAppend(t, openStore(t, path), 4, opening("c", 1))
	requireHead(t, reader, 4)
}

func requireHead(t *testing.T, store *sqlite.EventStore, want int64) {
	t.Helper()
	head, err := store.Head(context.Background())
	require.NoError(t, err)
	require.Equal(t, want, head)
}
