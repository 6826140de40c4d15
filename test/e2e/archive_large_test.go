package e2e_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// largeExport writes an export of n accounts.
func largeExport(t *testing.T, path string, n int64) {
	t.Helper()
	store := memory.NewEventStore()
	for i := range n {
		id := fmt.Sprintf("account-%d", i)
		outcomes, err := store.Append(t.Context(), i+1, []eventstore.Commit{{
			Stream: id, Expected: event.NoVersion, Key: event.Key{Value: id}, RequestHash: []byte("h"), Result: []byte(`{}`),
			Events: []event.Envelope{{
				ID: event.NewID(), Stream: id, Category: "account", Type: event.Type{Name: "passbook.account.opened", Schema: 1},
				Time: time.UnixMicro(1_700_000_000_000_000 + i).UTC(),
				Data: []byte(`{"accountHolder":"A","accountType":"SAVINGS","openingBalance":{"amount":"1.00","currency":"EUR"}}`),
			}},
		}})
		require.NoError(t, err)
		require.Equal(t, eventstore.Written, outcomes[0].State)
	}
	file, err := os.Create(path)
	require.NoError(t, err)
	_, err = archive.Export(t.Context(), store, file, archive.ExportConfig{Program: "test", Now: time.Now()})
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
