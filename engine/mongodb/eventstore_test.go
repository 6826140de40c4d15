package mongodb_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/engine/mongodb"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
	"passbook/internal/testenv"
)

// room is a database of a test's own.
type room struct{ url, database string }

// newRoom makes one on the servers that tests share.
func newRoom(t testenv.TB) room {
	t.Helper()
	return roomAt(testenv.MongoDatabase(t))
}

func roomAt(url string) room {
	front, _, _ := strings.Cut(url, "?")
	return room{url: url, database: front[strings.LastIndex(front, "/")+1:]}
}

// roomOn makes one on members that end with the test.
func roomOn(members *testenv.Members) room {
	front, query, _ := strings.Cut(members.URL(), "?")
	return roomAt(front + "passbook?" + query)
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
		Create:  func(t eventstoretest.TB) eventstoretest.Open { return openEventStore(newRoom(t)) },
	})
}

func openEventStore(r room) eventstoretest.Open {
	return func(ctx context.Context) (eventstore.Engine, func() error, error) {
		store, err := mongodb.OpenEventStore(ctx, r.url)
		if err != nil {
			return nil, nil, err
		}
		return store, store.Close, nil
	}
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, checkpointtest.Technology{
		Reopens: true,
		Create:  func(t checkpointtest.TB) checkpointtest.Open { return openCheckpoints(newRoom(t)) },
	})
}

func openCheckpoints(r room) checkpointtest.Open {
	return func(ctx context.Context) (checkpoint.Store, func() error, error) {
		store, err := mongodb.OpenEventStore(ctx, r.url)
		if err != nil {
			return nil, nil, err
		}
		return store.Checkpoints(), store.Close, nil
	}
}
