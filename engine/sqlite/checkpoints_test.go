package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/event"
	"passbook/es/eventstore"
)

func TestCheckpoints(t *testing.T) {
	checkpointtest.Run(t, checkpointtest.Technology{
		Reopens: true,
		Create: func(t checkpointtest.TB) checkpointtest.Open {
			path := filepath.Join(t.TempDir(), "events.db")
			return func(ctx context.Context) (checkpoint.Store, func() error, error) {
				store, err := sqlite.OpenEventStore(ctx, path)
				if err != nil {
					return nil, nil, err
				}
				checkpoints, err := store.Checkpoints(ctx)
				return checkpoints, store.Close, err
			}
		},
	})
}

// TestCheckpoints_BesideAppends saves and appends at the same time, on the one
// connection that writes.
func TestCheckpoints_BesideAppends(t *testing.T) {
	store, checkpoints := openCheckpoints(t, filepath.Join(t.TempDir(), "events.db"))
	lease, err := checkpoints.Acquire(t.Context(), "relay", "a", 1<<40)
	require.NoError(t, err)
	const rounds = 50
	errs := make([]error, 2*rounds)
	var both sync.WaitGroup
	both.Go(func() {
		for i := range rounds {
			errs[i] = appendOne(t.Context(), store, int64(i))
		}
	})
	both.Go(func() {
		for i := range rounds {
			progress := []checkpoint.Progress{{History: "h", Topic: "t", Position: int64(i), Confirmed: int64(i)}}
			errs[rounds+i] = checkpoints.Save(t.Context(), lease, progress)
		}
	})
	both.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, rounds, head)
	saved, err := checkpoints.Load(t.Context(), "relay")
	require.NoError(t, err)
	require.EqualValues(t, rounds-1, saved[0].Confirmed)
}

func appendOne(ctx context.Context, store *sqlite.EventStore, n int64) error {
	outcomes, err := store.Append(ctx, n+1, []eventstore.Commit{{
		Stream: "s", Expected: n - 1,
		Events: []event.Envelope{{
			ID: event.NewID(), Stream: "s", Version: n, Type: event.Type{Name: "test.happened", Schema: 1}, Data: []byte("{}"),
		}},
	}})
	if err == nil && outcomes[0].State != eventstore.Written {
		err = fmt.Errorf("event %d: %+v", n, outcomes[0])
	}
	return err
}

// TestCheckpoints_ReadOnly: a program beside the one that writes learns how far
// that has come, and can change nothing.
func TestCheckpoints_ReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })

	beside, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, beside.Close()) })
	reading, err := beside.Checkpoints(t.Context())
	require.NoError(t, err)
	saved, err := reading.Load(t.Context(), "relay")
	require.NoError(t, err, "before there are tables")
	require.Empty(t, saved)

	checkpoints, err := store.Checkpoints(t.Context())
	require.NoError(t, err)
	lease, err := checkpoints.Acquire(t.Context(), "relay", "a", 1<<40)
	require.NoError(t, err)
	progress := []checkpoint.Progress{{History: "h", Topic: "t", Next: 5, EventID: "e", Position: 5, Confirmed: 7}}
	require.NoError(t, checkpoints.Save(t.Context(), lease, progress))
	saved, err = reading.Load(t.Context(), "relay")
	require.NoError(t, err)
	require.Equal(t, progress, saved)
	require.Error(t, reading.Save(t.Context(), lease, nil))
	_, err = reading.Acquire(t.Context(), "relay", "b", 1)
	require.Error(t, err)
}

func openCheckpoints(t *testing.T, path string) (*sqlite.EventStore, *sqlite.Checkpoints) {
	t.Helper()
	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	checkpoints, err := store.Checkpoints(t.Context())
	require.NoError(t, err)
	return store, checkpoints
}
