package mongodb_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"passbook/engine/mongodb"
	"passbook/internal/testenv"
)

// Who opens for reading makes nothing, finds what another has made, and says
// what is missing of it.
func TestOpenEventStoreReadOnly(t *testing.T) {
	t.Parallel()
	address := testenv.MongoDatabase(t)
	_, err := mongodb.OpenEventStoreReadOnly(t.Context(), address)
	require.ErrorIs(t, err, mongodb.ErrUnusable)
	require.ErrorContains(t, err, "there is none yet")

	store, err := mongodb.OpenEventStore(t.Context(), address)
	require.NoError(t, err)
	require.NoError(t, store.Ping(t.Context()))
	want, err := store.History(t.Context())
	require.NoError(t, err)
	reading, err := mongodb.OpenEventStoreReadOnly(t.Context(), address)
	require.NoError(t, err)
	got, err := reading.History(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, reading.Close())

	parsed, err := connstring.Parse(address)
	require.NoError(t, err)
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	require.NoError(t, err)
	events := client.Database(parsed.Database).Collection("eventStore")
	require.NoError(t, events.Indexes().DropOne(t.Context(), "eventId_1"))
	require.NoError(t, client.Disconnect(t.Context()))
	_, err = mongodb.OpenEventStoreReadOnly(t.Context(), address)
	require.ErrorIs(t, err, mongodb.ErrUnusable)
	require.ErrorContains(t, err, "lacks 1 of its unique indexes")

	require.NoError(t, store.Close())
	require.Error(t, store.Ping(t.Context()))
}
