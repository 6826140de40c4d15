package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

func TestProjectionStore(t *testing.T) {
	projectiontest.Run(t, func(projectiontest.T) projectiontest.Database[*memory.ProjectionTx] {
		store := memory.NewProjectionStore()
		return projectiontest.Database[*memory.ProjectionTx]{
			Open: func(projectiontest.T) projection.Store[*memory.ProjectionTx] { return store },
			Rows: projectiontest.KeyValueRows[*memory.ProjectionTx]{},
		}
	})
}

func TestProjectionTx_Rows(t *testing.T) {
	t.Parallel()
	store := memory.NewProjectionStore()
	require.NoError(t, store.Update(t.Context(), func(tx *memory.ProjectionTx) error {
		tx.Put("table", "a", 1)
		tx.Put("table", "b", 2)
		tx.Put("other", "a", 3)
		tx.Delete("table", "b")
		tx.Delete("table", "nobody")
		return nil
	}))
	require.NoError(t, store.View(t.Context(), func(tx *memory.ProjectionTx) error {
		got := map[string]any{}
		tx.Rows("table", func(key string, row any) bool {
			got[key] = row
			return true
		})
		require.Equal(t, map[string]any{"a": 1}, got)
		return nil
	}))
	require.Error(t, store.View(t.Context(), func(tx *memory.ProjectionTx) error {
		tx.Put("table", "a", 2)
		return nil
	}), "a transaction that only reads was written to")
}
