package mysql_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
	"passbook/internal/testenv"
)

func TestProjectionStore(t *testing.T) {
	t.Parallel()
	requireServer(t)
	projectiontest.Run(t, func(t projectiontest.T) projectiontest.Database[*sql.Tx] {
		address := testenv.MySQLDatabase(t)
		require.NoError(t, createRows(t.Context(), openStore(t, address).DB(), "suite_row"))
		return projectiontest.Database[*sql.Tx]{
			Open: func(t projectiontest.T) projection.Store[*sql.Tx] { return openStore(t, address) },
			Rows: projectiontest.SQLRows{},
		}
	})
}

// createRows makes a table of the suite's model, whose names are bytes.
func createRows(ctx context.Context, on projectiontest.Execer, table string) error {
	_, err := on.ExecContext(ctx, `CREATE TABLE `+table+` (k VARCHAR(200) PRIMARY KEY, v TEXT NOT NULL, KEY by_text (v(20), k))
		COLLATE utf8mb4_0900_bin`)
	return err
}

func TestProjectionStore_Lines(t *testing.T) {
	t.Parallel()
	requireServer(t)
	projectiontest.RunLines(t, func(t projectiontest.T) projectiontest.LinesDatabase[*sql.Tx] {
		address := testenv.MySQLDatabase(t)
		require.NoError(t, createRows(t.Context(), openStore(t, address).DB(), "suite_row"))
		return projectiontest.LinesDatabase[*sql.Tx]{
			Open:   func(t projectiontest.T) projection.Lines[*sql.Tx] { return openStore(t, address) },
			Table:  "suite_row",
			Rows:   func(table string) projectiontest.Rows[*sql.Tx] { return projectiontest.SQLRows{Table: table} },
			Create: func(ctx context.Context, tx *sql.Tx, table string) error { return createRows(ctx, tx, table) },
		}
	})
}

func TestProjectionStore_Leases(t *testing.T) {
	t.Parallel()
	requireServer(t)
	checkpointtest.Run(t, checkpointtest.Technology{
		Reopens: true,
		Create: func(t checkpointtest.TB) checkpointtest.Open {
			address := testenv.MySQLDatabase(t)
			return func(ctx context.Context) (checkpoint.Store, func() error, error) {
				store, err := mysql.OpenProjectionStore(ctx, address)
				if err != nil {
					return nil, nil, err
				}
				return store.Leases(), store.Close, nil
			}
		},
	})
}
