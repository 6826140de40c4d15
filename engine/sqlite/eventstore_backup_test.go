package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// keyedOpening is a commit of two events under a key.
func keyedOpening(stream string) eventstore.Commit {
	c := opening(stream, 2)
	c.Key, c.RequestHash, c.Result = event.Key{Client: "me", Value: stream}, []byte("hash"), []byte("result of "+stream)
	return c
}

// filled returns a store with n commits of two events.
func filled(t *testing.T, path string, n int) *sqlite.EventStore {
	t.Helper()
	store := openStore(t, path)
	fill(t, store, n)
	return store
}

func fill(t *testing.T, store *sqlite.EventStore, n int) {
	t.Helper()
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	for i := range int64(n) {
		mustAppend(t, store, head+2*i+1, keyedOpening(event.NewID()))
	}
}

func backUp(t *testing.T, store *sqlite.EventStore, path string) sqlite.Backup {
	t.Helper()
	backup, err := store.BackUp(t.Context(), path)
	require.NoError(t, err)
	return backup
}

// A back-up that is taken while a service writes is of one moment.
func TestEventStore_BackUpBesideAWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "events.db")
	store := filled(t, path, 2)
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() {
		for next := int64(5); ctx.Err() == nil; next += 2 {
			outcomes, err := store.Append(t.Context(), next, []eventstore.Commit{keyedOpening(event.NewID())})
			if err != nil || outcomes[0].State != eventstore.Written {
				written <- fmt.Errorf("%+v: %w", outcomes, err)
				return
			}
		}
		written <- nil
	}()
	reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	for i := range 5 {
		before, err := reader.Head(t.Context())
		require.NoError(t, err)
		copied := filepath.Join(dir, fmt.Sprintf("%d.bak", i))
		backup := backUp(t, reader, copied)
		after, err := reader.Head(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, backup.Head, before)
		require.LessOrEqual(t, backup.Head, after)
		require.Zero(t, backup.Head%2, "half a commit")
		requireSound(t, copied, backup.Head)
		recovered := filepath.Join(dir, fmt.Sprintf("%d.db", i))
		recoverFrom(t, copied, recovered)
		requireWholeStore(t, openStore(t, recovered), backup.Head)
	}
	stop()
	require.NoError(t, <-written)
	require.NoError(t, reader.Close())
}

// requireSound looks at a file as another program would.
func requireSound(t *testing.T, path string, head int64) {
	t.Helper()
	require.Equal(t, []any{"ok", int64(0x50426576), head, head, head / 2}, lookAt(t, path, "SELECT (SELECT * FROM pragma_integrity_check), "+
		"(SELECT application_id FROM pragma_application_id), (SELECT max(position) FROM event), (SELECT count(*) FROM event), "+
		"(SELECT count(*) FROM idempotency_key)"))
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		require.NoFileExists(t, path+suffix, "the file is everything")
	}
}

func requireWholeStore(t *testing.T, store *sqlite.EventStore, head int64) {
	t.Helper()
	page, err := store.ReadAll(t.Context(), 0, 1<<20)
	require.NoError(t, err)
	require.Len(t, page, int(head))
	for i, e := range page {
		require.Equal(t, int64(i+1), e.Position)
		require.Equal(t, int64(i%2), e.Version)
		if e.Version == 1 {
			record, err := store.FindKey(t.Context(), event.Key{Client: "me", Value: e.Stream})
			require.NoError(t, err)
			require.Equal(t, e.Position, record.Position)
		}
	}
	last := int64(0)
	for record, err := range store.Keys(t.Context(), head) {
		require.NoError(t, err)
		last += 2
		require.Equal(t, last, record.Position, "keys are in the order of their events")
	}
	require.Equal(t, head, last)
}

// A back-up is no store: serving it would repeat positions of a history that
// has gone on elsewhere.
func TestEventStore_BackUpIsNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	backup := backUp(t, filled(t, filepath.Join(dir, "events.db"), 1), filepath.Join(dir, "bak"))
	store := openStore(t, filepath.Join(dir, "bak"))
	_, err := eventstore.New(t.Context(), store, eventstore.Config{})
	requireOneLine(t, err, "it is a back-up: put it in place with recover")
	require.ErrorIs(t, err, eventstore.ErrNoHistory)
	_, err = store.BeginImport(t.Context(), "x")
	require.ErrorIs(t, err, eventstore.ErrNoHistory)

	history, err := store.Renew(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, backup.History, history)
	_, err = eventstore.New(t.Context(), store, eventstore.Config{})
	require.NoError(t, err)
}

func TestEventStore_BackUpRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filled(t, filepath.Join(dir, "events.db"), 1)
	taken := filepath.Join(dir, "taken")
	require.NoError(t, os.WriteFile(taken, []byte("something else"), 0o600))
	_, err := store.BackUp(t.Context(), taken)
	requireOneLine(t, err, taken)
	content, err := os.ReadFile(taken)
	require.NoError(t, err)
	require.Equal(t, "something else", string(content))
	_, err = store.BackUp(t.Context(), filepath.Join(dir, "no", "folder"))
	requireOneLine(t, err, "no/folder")

	half := openStore(t, filepath.Join(dir, "half.db"))
	_, err = half.BeginImport(t.Context(), "x")
	require.NoError(t, err)
	_, err = half.BackUp(t.Context(), filepath.Join(dir, "bak"))
	require.ErrorIs(t, err, eventstore.ErrNoHistory)
}

// A file that is no back-up, or not a whole one, is refused with a reason, and
// the store stays as it is.
func TestPrepareRecovery_BadFile(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "bak")
	backUp(t, filled(t, filepath.Join(t.TempDir(), "events.db"), 300), good)
	content, err := os.ReadFile(good)
	require.NoError(t, err)
	damaged := func(statements ...string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, content, 0o600))
			execute(t, path, statements...)
		}
	}
	for _, test := range []struct {
		name, says string
		make       func(t *testing.T, path string)
	}{
		{"missing", "no such file", func(*testing.T, string) {}},
		{"folder", "no regular file", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }},
		{"empty", "it is empty", func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o600)) }},
		{"text", "not a SQLite database", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600))
		}},
		{"other database", "something else", func(t *testing.T, path string) { execute(t, path, "CREATE TABLE x (y)") }},
		{"cut", "", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, content[:len(content)/2], 0o600))
		}},
		{"page overwritten", "", func(t *testing.T, path string) {
			bad := append([]byte{}, content...)
			copy(bad[len(bad)/2/4096*4096:], strings.Repeat("\xff", 4096))
			require.NoError(t, os.WriteFile(path, bad, 0o600))
		}},
		{"newer program", "use a newer program", damaged("PRAGMA user_version = 99")},
		{"event missing in front", "it is damaged", damaged("DELETE FROM event WHERE position = 1")},
		{"event missing", "it is damaged", damaged("DELETE FROM event WHERE position = 7")},
		{"version missing", "1 streams have gaps", damaged("UPDATE event SET version = 5 WHERE position = 8")},
		{"key of nothing", "1 idempotency keys no event", damaged("UPDATE idempotency_key SET stream = 'x' WHERE position = 8")},
		{"import under way", "an import into it has not ended", damaged("UPDATE store SET pending = 'import x'")},
		{"log beside it", "a write-ahead log lies beside it", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, content, 0o600))
			require.NoError(t, os.WriteFile(path+"-wal", []byte("x"), 0o600))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "events.db")
			store := filled(t, path, 1)
			require.NoError(t, store.Close())
			bad := filepath.Join(t.TempDir(), "bad")
			test.make(t, bad)
			_, err := sqlite.PrepareRecovery(t.Context(), bad, path)
			requireOneLine(t, err, bad, test.says)
			requireWholeStore(t, openStore(t, path), 2)
			require.Len(t, names(t, filepath.Dir(path)), 4, "events.db with -wal, -shm and .lock") // nothing is left of the try
		})
	}
}

func TestPrepareRecovery_WrongPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, bak := filepath.Join(dir, "events.db"), filepath.Join(dir, "bak")
	store := filled(t, path, 1)
	backUp(t, store, bak)
	_, err := sqlite.PrepareRecovery(t.Context(), bak, path)
	requireOneLine(t, err, "in use by this process already")
	require.NoError(t, store.Close())
	_, err = sqlite.PrepareRecovery(t.Context(), path, path)
	requireOneLine(t, err, "it is the event store itself")
	other := filepath.Join(dir, "readmodel.db")
	execute(t, other, "PRAGMA application_id = 77; CREATE TABLE x (y)")
	_, err = sqlite.PrepareRecovery(t.Context(), bak, other)
	requireOneLine(t, err, other, "something else")
	_, err = sqlite.PrepareRecovery(t.Context(), bak, filepath.Join(dir, "no", "events.db"))
	requireOneLine(t, err, "cannot be used")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sqlite.PrepareRecovery(ctx, bak, path)
	require.ErrorIs(t, err, context.Canceled)
	requireWholeStore(t, openStore(t, path), 2)
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
