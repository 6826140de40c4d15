package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
)

func TestEventStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, eventstoretest.Technology{
		Reopens: true,
		Create: func(t eventstoretest.TB) eventstoretest.Open {
			path := filepath.Join(t.TempDir(), "events.db")
			return func(ctx context.Context) (eventstore.Engine, func() error, error) {
				store, err := sqlite.OpenEventStore(ctx, path)
				if err != nil {
					return nil, nil, err
				}
				return store, store.Close, nil
			}
		},
	})
}
