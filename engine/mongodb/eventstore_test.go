package mongodb_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/engine/mongodb"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
)

// urlVariable names a replica set that tests may make databases in.
const urlVariable = "PASSBOOK_TEST_MONGODB"

// skipper is what a test is told by that it can not run here.
type skipper interface {
	Helper()
	Skipf(format string, args ...any)
}

func serverURL(t skipper) string {
	t.Helper()
	url := os.Getenv(urlVariable)
	if url == "" {
		t.Skipf("SKIPPED, NOT TESTED: missing: a MongoDB replica set: set %s to its URL, mongodb://host,host/?replicaSet=name", urlVariable)
	}
	return url
}

// room is a database of a test's own.
type room struct{ url, database string }

// cleaner is what a room is removed with.
type cleaner interface {
	require.TestingT
	skipper
	Cleanup(func())
}

// newRoom names a database, and drops it when the test is over.
func newRoom(t cleaner) room {
	t.Helper()
	server := serverURL(t)
	return roomOn(t, server)
}

func roomOn(t cleaner, server string) room {
	t.Helper()
	name := "passbook_test_" + strings.ReplaceAll(event.NewID(), "-", "")
	front, options, _ := strings.Cut(server, "?")
	scheme, hosts, _ := strings.Cut(front, "://")
	hosts, _, _ = strings.Cut(hosts, "/")
	r := room{url: fmt.Sprintf("%s://%s/%s?%s", scheme, hosts, name, options), database: name}
	t.Cleanup(func() { require.NoError(t, r.drop()) })
	return r
}

func (r room) drop() error {
	client, err := mongo.Connect(options.Client().ApplyURI(r.url))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.Background()) }()
	return client.Database(r.database).Drop(context.Background())
}

func (r room) open(t testing.TB) *mongodb.EventStore {
	t.Helper()
	store, err := mongodb.OpenEventStore(t.Context(), r.url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// bare returns the events' database without a store on it.
func (r room) bare(t testing.TB) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(r.url))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.WithoutCancel(t.Context()))) })
	return client.Database(r.database)
}

func TestEventStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, eventstoretest.Technology{
		Reopens: true,
		Create: func(t eventstoretest.TB) eventstoretest.Open {
			url := newRoom(t).url
			return func(ctx context.Context) (eventstore.Engine, func() error, error) {
				store, err := mongodb.OpenEventStore(ctx, url)
				if err != nil {
					return nil, nil, err
				}
				return store, store.Close, nil
			}
		},
	})
}

// suiteTB gives the checkpoints' cases what a room needs of a test.
type suiteTB struct{ checkpointtest.TB }

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, checkpointtest.Technology{
		Reopens: true,
		Create: func(t checkpointtest.TB) checkpointtest.Open {
			url := newRoom(suiteTB{t}).url
			return func(ctx context.Context) (checkpoint.Store, func() error, error) {
				store, err := mongodb.OpenEventStore(ctx, url)
				if err != nil {
					return nil, nil, err
				}
				return store.Checkpoints(), store.Close, nil
			}
		},
	})
}
