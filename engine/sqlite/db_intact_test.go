package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// What is written into a file that was removed, moved or replaced is not durable,
// and nothing is acknowledged that lies there.
func TestEventStore_FileTakenAway(t *testing.T) {
	commit := []eventstore.Commit{{Stream: "s", Expected: event.NoVersion, Events: []event.Envelope{{ID: event.NewID(), Stream: "s", Category: "c", Type: event.Type{Name: "n", Schema: 1}}}}}
	for name, take := range map[string]func(t *testing.T, folder, path string){
		"folder removed": func(t *testing.T, folder, _ string) { require.NoError(t, os.RemoveAll(folder)) },
		"folder moved":   func(t *testing.T, folder, _ string) { require.NoError(t, os.Rename(folder, folder+"-2")) },
		"replaced": func(t *testing.T, _, path string) {
			require.NoError(t, os.Rename(path, path+"-2"))
			require.NoError(t, os.WriteFile(path, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "data")
			require.NoError(t, os.Mkdir(folder, 0o700))
			path := filepath.Join(folder, "events.db")
			store, err := sqlite.OpenEventStore(t.Context(), path)
			require.NoError(t, err)
			defer store.Close()
			require.NoError(t, store.Ping(t.Context()))
			take(t, folder, path)
			_, err = store.Append(t.Context(), 1, commit)
			require.ErrorIs(t, err, eventstore.ErrNotWritten)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, store.Ping(t.Context()), path, "readiness has to notice")
		})
	}
}

// A store without one of its tables or indexes is refused, by name.
func TestOpenEventStore_NotWhole(t *testing.T) {
	for _, drop := range []string{"INDEX event_stream_version", "INDEX event_id", "INDEX idempotency_key_client_value", "TABLE snapshot"} {
		path := filepath.Join(t.TempDir(), "events.db")
		store, err := sqlite.OpenEventStore(t.Context(), path)
		require.NoError(t, err)
		require.NoError(t, store.Close())
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec("DROP " + drop)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		_, name, _ := strings.Cut(drop, " ")
		_, err = sqlite.OpenEventStore(t.Context(), path)
		require.ErrorContains(t, err, name)
		_, err = sqlite.OpenEventStoreReadOnly(t.Context(), path)
		require.ErrorContains(t, err, name)
	}
}
