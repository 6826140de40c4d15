package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

func TestProjectionStore_Lines(t *testing.T) {
	projectiontest.RunLines(t, func(t projectiontest.T) projectiontest.LinesDatabase[*sql.Tx] {
		return linesOf(t, openProjectionStore(t, filepath.Join(t.TempDir(), "readmodel.db")))
	})
}

// linesOf gives a store the model of the suite.
func linesOf(t projectiontest.T, store *sqlite.ProjectionStore) projectiontest.LinesDatabase[*sql.Tx] {
	require.NoError(t, createRows(t.Context(), store.DB(), "suite_row"))
	return projectiontest.LinesDatabase[*sql.Tx]{
		Open:        func(projectiontest.T) projection.Lines[*sql.Tx] { return store },
		Table:       "suite_row",
		Rows:        sqlRows,
		Create:      func(ctx context.Context, tx *sql.Tx, table string) error { return createRows(ctx, tx, table) },
		ReadsBeside: true,
	}
}

func sqlRows(table string) projectiontest.Rows[*sql.Tx] { return projectiontest.SQLRows{Table: table} }

func createRows(ctx context.Context, on projectiontest.Execer, table string) error {
	if err := (projectiontest.SQLRows{Table: table}).Create(ctx, on); err != nil {
		return err
	}
	index := strings.ReplaceAll(event.NewID(), "-", "_")
	_, err := on.ExecContext(ctx, `CREATE INDEX "i_`+index+`" ON `+table+` (v, k)`)
	return err
}

func TestProjectionStore_Leases(t *testing.T) {
	checkpointtest.Run(t, checkpointtest.Technology{
		Reopens: true,
		Create: func(t checkpointtest.TB) checkpointtest.Open {
			path := filepath.Join(t.TempDir(), "readmodel.db")
			return func(ctx context.Context) (checkpoint.Store, func() error, error) {
				store, err := sqlite.OpenProjectionStore(ctx, path, sqlite.Rebuildable)
				if err != nil {
					return nil, nil, err
				}
				return store.Leases(), store.Close, nil
			}
		},
	})
}

// TestProjectionStore_LeasesLeaveNoTrace: acquiring waits for the disk, and the
// connection that it used does not go on doing so.
func TestProjectionStore_LeasesLeaveNoTrace(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := openProjectionStore(t, filepath.Join(t.TempDir(), "readmodel.db"))
	for range 20 {
		_, err := store.Leases().Acquire(ctx, "builder", "a", time.Minute)
		require.NoError(t, err)
	}
	_, err := store.Leases().Acquire(ctx, "builder", "b", time.Minute)
	require.ErrorIs(t, err, checkpoint.ErrHeld)
	for range store.DB().Stats().MaxOpenConnections {
		conn, err := store.DB().Conn(ctx)
		require.NoError(t, err)
		defer conn.Close()
		var synchronous int
		require.NoError(t, conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous))
		require.Equal(t, 1, synchronous)
	}
}
