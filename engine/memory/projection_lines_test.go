package memory_test

import (
	"context"
	"testing"

	"passbook/engine/memory"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

func TestProjectionStore_Lines(t *testing.T) {
	projectiontest.RunLines(t, func(projectiontest.T) projectiontest.LinesDatabase[*memory.ProjectionTx] {
		store := memory.NewProjectionStore()
		return projectiontest.LinesDatabase[*memory.ProjectionTx]{
			Open:  func(projectiontest.T) projection.Lines[*memory.ProjectionTx] { return store },
			Table: "suite_row",
			Rows: func(table string) projectiontest.Rows[*memory.ProjectionTx] {
				return projectiontest.KeyValueRows[*memory.ProjectionTx]{Table: table}
			},
			Create: func(context.Context, *memory.ProjectionTx, string) error { return nil },
		}
	})
}

func TestProjectionStore_Leases(t *testing.T) {
	checkpointtest.Run(t, checkpointtest.Technology{
		Create: func(checkpointtest.TB) checkpointtest.Open {
			store := memory.NewProjectionStore()
			return func(context.Context) (checkpoint.Store, func() error, error) {
				return store.Leases(), func() error { return nil }, nil
			}
		},
	})
}
