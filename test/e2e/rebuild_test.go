package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// The event store alone is the truth: whatever else is deleted is built again
// by the next start.
func TestDeletedAndBuiltAgain(t *testing.T) {
	t.Parallel()
	for name, deleted := range map[string][]string{
		"Nothing":        {},
		"Broker":         {"broker"},
		"ReadDB":         {"readmodel.db", "readmodel.db-wal", "readmodel.db-shm"},
		"BrokerAndRead":  {"broker", "readmodel.db", "readmodel.db-wal", "readmodel.db-shm"},
		"AllButTheStore": {"broker", "readmodel.db", "readmodel.db-wal", "readmodel.db-shm", "instance", "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			p := testenv.Start(t, data)
			const accounts = 20
			ids := make([]string, accounts)
			for i := range ids {
				ids[i] = open(t, p, "Rebuilt", i)
				deposit(t, p, ids[i], 100)
			}
			requireBalance(t, p, ids[0], "100.0")
			p.Stop()
			for _, file := range deleted {
				require.NoError(t, os.RemoveAll(filepath.Join(data, file)))
			}

			p = testenv.Start(t, data)
			p.AwaitReady(t.Context())
			for i, id := range ids {
				requireBalance(t, p, id, fmt.Sprintf("%d.0", 100+i))
				deposit(t, p, id, 1)
				requireBalance(t, p, id, fmt.Sprintf("%d.0", 101+i))
			}
			require.Zero(t, testenv.RequireFeed(t, p.Broker, 3*accounts))
			p.Stop()
		})
	}
}
