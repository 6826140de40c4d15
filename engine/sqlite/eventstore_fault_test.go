package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
)

var errDisk = errors.New("disk I/O error")

// failCommit has the next commit answer an error, whether it was made or not.
func failCommit(store *sqlite.EventStore, made bool) {
	store.OnCommit(func(commit func() error) error {
		store.OnCommit(nil)
		if made {
			if err := commit(); err != nil {
				return err
			}
		}
		return errDisk
	})
}

func TestEventStore_CommitFails(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]bool{"landed": true, "not landed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
			mustAppend(t, store, 1, opening("a", 1))
			before := store.Writer()
			failCommit(store, made)
			group := []eventstore.Commit{opening("b", 2), opening("c", 1)}
			outcomes, err := store.Append(t.Context(), 2, group)
			if made {
				require.NoError(t, err)
				require.Equal(t, int64(2), outcomes[0].Position)
				require.Equal(t, int64(4), outcomes[1].Position)
			} else {
				require.ErrorIs(t, err, eventstore.ErrNotWritten)
				require.ErrorIs(t, err, errDisk)
				requireHead(t, store, 1)
			}
			require.NotSame(t, before, store.Writer(), "the connection was kept")
			mustAppend(t, store, 2, group...)
			requireHead(t, store, 4)
		})
	}
}

// TestEventStore_CommitFailsForGood: nothing can be looked at afterwards, so
// nothing is claimed.
func TestEventStore_CommitFailsForGood(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]bool{"landed": true, "not landed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "events.db")
			store := openStore(t, path)
			mustAppend(t, store, 1, opening("a", 1))
			failCommit(store, made)
			store.OnCommit(func(commit func() error) error {
				if made {
					require.NoError(t, commit())
				}
				require.NoError(t, os.Rename(path, path+".away"))
				return errDisk
			})
			group := []eventstore.Commit{opening("b", 2), opening("c", 1)}
			_, err := store.Append(t.Context(), 2, group)
			require.ErrorIs(t, err, errDisk)
			require.NotErrorIs(t, err, eventstore.ErrNotWritten)
			if !made {
				requireHead(t, store, 1) // reading goes on
			}
			_, err = store.Append(t.Context(), 2, group)
			require.ErrorIs(t, err, eventstore.ErrNotWritten, "this call could not do anything")

			require.NoError(t, os.Rename(path+".away", path))
			store.OnCommit(nil)
			mustAppend(t, store, 2, group...)
			requireHead(t, store, 4)
		})
	}
}

// TestStore_OnFailingCommits: whatever a commit's end looks like, the Store
// acknowledges every commit and holds it once.
func TestStore_OnFailingCommits(t *testing.T) {
	t.Parallel()
	engine := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	commits := 0
	engine.OnCommit(func(commit func() error) error {
		commits++
		switch commits % 3 {
		case 0:
			return errDisk
		case 1:
			return errors.Join(commit(), errDisk)
		}
		return commit()
	})
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	for i := range 30 {
		receipt, err := store.Append(t.Context(), opening(string(rune('A'+i)), 2))
		require.NoError(t, err)
		require.Equal(t, eventstore.Receipt{Version: 1, Position: 2*int64(i) + 2}, receipt)
	}
	stop()
	require.NoError(t, <-ran)
	requireHead(t, engine, 60)
	for e, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		require.Equal(t, e.Position-1, 2*int64(e.Stream[0]-'A')+e.Version)
	}
}

func TestEventStore_Cancelled(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Append(ctx, 1, []eventstore.Commit{opening("a", 1)})
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.ErrorIs(t, err, context.Canceled)
	requireHead(t, store, 0)
}

func TestEventStore_DiskFull(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	mustAppend(t, store, 1, opening("a", 1))
	_, err := store.Writer().ExecContext(t.Context(), "PRAGMA max_page_count = 30")
	require.NoError(t, err)
	large := opening("large", 1000)
	_, err = store.Append(t.Context(), 2, []eventstore.Commit{opening("b", 1), large})
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.ErrorContains(t, err, "full")
	requireHead(t, store, 1)
	_, err = store.Writer().ExecContext(t.Context(), "PRAGMA max_page_count = 1000000")
	require.NoError(t, err)
	mustAppend(t, store, 2, opening("b", 1), large)
}

// TestEventStore_Locked: somebody with a shell on the file stands in the way.
func TestEventStore_Locked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	store := openStore(t, path)
	_, err := store.Writer().ExecContext(t.Context(), "PRAGMA busy_timeout = 1")
	require.NoError(t, err)
	release := hold(t, path, "BEGIN IMMEDIATE")
	_, err = store.Append(t.Context(), 1, []eventstore.Commit{opening("a", 1)})
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.ErrorContains(t, err, "locked")
	release()
	mustAppend(t, store, 1, opening("a", 1))
}

// TestOpenEventStore_Unsettled: as long as the log cannot be emptied, what is in
// it may be gone after a power cut, and is not served.
func TestOpenEventStore_Unsettled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	store := openStore(t, path)
	mustAppend(t, store, 1, opening("a", 1))
	release := hold(t, path, "BEGIN; SELECT position FROM event")
	mustAppend(t, store, 2, opening("b", 1))
	require.NoError(t, store.Close())
	begin := time.Now()
	_, err := sqlite.OpenEventStore(t.Context(), path)
	requireOneLine(t, err, path, "another program reads")
	t.Log("refused after", time.Since(begin))
	release()
	requireHead(t, openStore(t, path), 2)
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, log.Size(), "the log was not emptied")
}

// hold runs SQL on another connection, and keeps that until release.
func hold(t *testing.T, path, statements string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), statements)
	require.NoError(t, err)
	return func() {
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, db.Close())
	}
}

// TestEventStore_SnapshotDoesNotWait: a disk that hangs in a commit holds up who
// saves a snapshot for as long as that one wants to wait, and no longer.
func TestEventStore_SnapshotDoesNotWait(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "events.db"))
	hangs, goOn := make(chan struct{}), make(chan struct{})
	store.OnCommit(func(commit func() error) error {
		store.OnCommit(nil)
		close(hangs)
		<-goOn
		return commit()
	})
	written := make(chan error)
	go func() {
		_, err := store.Append(context.Background(), 1, []eventstore.Commit{opening("a", 1)})
		written <- err
	}()
	<-hangs
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := store.SaveSnapshot(ctx, eventstore.Snapshot{Stream: "a", EventID: "e", Schema: 1, Data: []byte(`{}`)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(goOn)
	require.NoError(t, <-written)
}
