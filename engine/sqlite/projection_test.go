package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/checkpoint"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

func TestProjectionStore(t *testing.T) {
	projectiontest.Run(t, openProjection)
}

func openProjection(t projectiontest.T) projectiontest.Database[*sql.Tx] {
	store := openProjectionStore(t, filepath.Join(t.TempDir(), "read side?.db"))
	require.NoError(t, projectiontest.SQLRows{}.Create(t.Context(), store.DB()))
	return projectiontest.Database[*sql.Tx]{
		Open: func(projectiontest.T) projection.Store[*sql.Tx] { return store },
		Rows: projectiontest.SQLRows{},
	}
}

func openProjectionStore(t projectiontest.T, path string) *sqlite.ProjectionStore {
	store, err := sqlite.OpenProjectionStore(t.Context(), path, sqlite.Rebuildable)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestProjectionStore_Open(t *testing.T) {
	t.Parallel()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "readmodel.db")
	progress := checkpoint.Progress{History: "h", Topic: "t", Next: 7, EventID: "id", Position: 7}
	store, err := sqlite.OpenProjectionStore(ctx, path, sqlite.Durable)
	require.NoError(t, err)
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error {
		return store.SaveCheckpoints(ctx, tx, "reader", progress)
	}))

	_, err = sqlite.OpenProjectionStore(ctx, path, sqlite.Durable)
	require.ErrorContains(t, err, "is in use by this process already")
	for _, while := range []string{"open", "closed"} {
		reader, err := sqlite.OpenProjectionStoreReadOnly(ctx, path)
		require.NoError(t, err, while)
		require.Equal(t, []checkpoint.Progress{progress}, checkpoints(t, reader))
		require.Error(t, reader.Update(ctx, func(tx *sql.Tx) error {
			return reader.SaveCheckpoints(ctx, tx, "reader", progress)
		}))
		require.NoError(t, reader.Close())
		require.NoError(t, store.Close())
	}
	again := openProjectionStore(t, path)
	require.Equal(t, []checkpoint.Progress{progress}, checkpoints(t, again))
}

func checkpoints(t *testing.T, store *sqlite.ProjectionStore) (all []checkpoint.Progress) {
	t.Helper()
	require.NoError(t, store.View(t.Context(), func(tx *sql.Tx) (err error) {
		all, err = store.Checkpoints(t.Context(), tx, "reader")
		return err
	}))
	return all
}

func TestProjectionStore_OpenRefuses(t *testing.T) {
	t.Parallel()
	ctx, folder := t.Context(), t.TempDir()
	events := filepath.Join(folder, "events.db")
	eventStore, err := sqlite.OpenEventStore(ctx, events)
	require.NoError(t, err)
	require.NoError(t, eventStore.Close())
	for path, want := range map[string]string{
		events:                                   "is a SQLite database of something else",
		filepath.Join(folder, "no", "folder.db"): "cannot be used",
	} {
		_, err := sqlite.OpenProjectionStore(ctx, path, sqlite.Rebuildable)
		require.ErrorContains(t, err, want)
		_, err = sqlite.OpenProjectionStoreReadOnly(ctx, path)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "\n")
	}
}

// TestProjectionStore_ViewWaitsForNobody has a query answered while a batch
// holds the file.
func TestProjectionStore_ViewWaitsForNobody(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := openProjectionStore(t, filepath.Join(t.TempDir(), "readmodel.db"))
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error {
		require.NoError(t, store.SaveCheckpoints(ctx, tx, "reader", checkpoint.Progress{Next: 1}))
		require.Empty(t, checkpoints(t, store))
		return nil
	}))
	require.Len(t, checkpoints(t, store), 1)
}

// TestProjectionStore_Immediate: a transaction has the only write lock before
// its first statement, so that nothing it reads can change under it.
func TestProjectionStore_Immediate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := openProjectionStore(t, filepath.Join(t.TempDir(), "readmodel.db"))
	other, err := store.DB().Conn(ctx)
	require.NoError(t, err)
	defer other.Close()
	_, err = other.ExecContext(ctx, "PRAGMA busy_timeout = 0")
	require.NoError(t, err)
	require.NoError(t, store.Update(ctx, func(*sql.Tx) error {
		_, err := other.ExecContext(ctx, "BEGIN IMMEDIATE")
		require.ErrorContains(t, err, "SQLITE_BUSY")
		return nil
	}))
	_, err = other.ExecContext(ctx, "BEGIN IMMEDIATE; ROLLBACK")
	require.NoError(t, err)
}
