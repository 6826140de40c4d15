package mongodb_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

// TestMajority: what only the primary has may vanish with it. Nobody reads it,
// nothing is written behind it, and who waits for events is woken when a majority
// has it, although the primary had it before anybody watched.
func TestMajority(t *testing.T) {
	t.Parallel()
	c := &cluster{t: t, Members: testenv.StartMembers(t, 3, "--setParameter", "enableTestCommands=1")}
	r := roomOn(c.Members)
	writer, reader := r.open(t), r.open(t)
	mustAppend(t, writer, 1, opening("a", 1))
	primary := c.primary()
	for _, addr := range c.Addrs {
		if addr != primary {
			holdReplication(t, addr)
		}
	}
	insertOnPrimary(t, r, primary)

	head, err := reader.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), head)
	require.Len(t, readAll(t, reader), 1)
	version, err := reader.StreamVersion(t.Context(), "a")
	require.NoError(t, err)
	require.Zero(t, version)
	outcomes, err := writer.Append(t.Context(), 3, []eventstore.Commit{commit("a", 1, 1)})
	require.NoError(t, err)
	require.NotEqual(t, eventstore.Written, outcomes[0].State, "behind a position that may vanish")

	ctx, cancel := context.WithTimeout(t.Context(), watchMax)
	defer cancel()
	store, waiting := startStore(t, reader, seldom), make(chan error, 1)
	go func() { waiting <- store.Await(ctx, 1) }()
	awaitStream(t, primary)
	require.Empty(t, waiting)
	for _, addr := range c.Addrs {
		if addr != primary {
			failPoint(t, addr, "off")
		}
	}
	require.NoError(t, <-waiting)
	require.Len(t, readAll(t, reader), 2)
	mustAppend(t, writer, 3, commit("a", 1, 1))
}

// failPoint has a secondary fetch nothing from the primary, or go on. It votes and
// answers all the while. The answer is how often it was held before.
func failPoint(t testing.TB, addr, mode string) (entered int64) {
	t.Helper()
	answer, err := ask(addr, bson.D{{Key: "configureFailPoint", Value: "stopReplProducer"}, {Key: "mode", Value: mode}})
	require.NoError(t, err)
	return answer.Lookup("count").AsInt64()
}

// holdReplication returns once a secondary fetches nothing any more.
func holdReplication(t testing.TB, addr string) {
	t.Helper()
	entered := failPoint(t, addr, "alwaysOn")
	require.Eventually(t, func() bool {
		_, err := ask(addr, bson.D{
			{Key: "waitForFailPoint", Value: "stopReplProducer"}, {Key: "timesEntered", Value: entered + 1},
		})
		return err == nil
	}, watchMax, 10*time.Millisecond, "the secondary goes on fetching")
}

// insertOnPrimary writes a copy of the first event behind it, and does not wait
// for any other member to have it.
func insertOnPrimary(t testing.TB, r room, primary string) {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + primary + "/?directConnection=true"))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Disconnect(context.WithoutCancel(t.Context()))) }()
	events := client.Database(r.database).Collection("eventStore", options.Collection().SetWriteConcern(writeconcern.W1()))
	var d bson.D
	require.NoError(t, events.FindOne(t.Context(), bson.D{}).Decode(&d))
	for i := range d {
		switch d[i].Key {
		case "_id":
			d[i].Value = int64(2)
		case "version":
			d[i].Value = int64(1)
		case "eventId":
			d[i].Value = "another"
		}
	}
	_, err = events.InsertOne(t.Context(), d)
	require.NoError(t, err)
}

// awaitStream waits until a change stream is open on a member.
func awaitStream(t testing.TB, addr string) {
	t.Helper()
	isStream := bson.D{{Key: "cursor.originatingCommand.pipeline.0.$changeStream", Value: bson.D{{Key: "$exists", Value: true}}}}
	require.Eventually(t, func() bool {
		answer, err := ask(addr, bson.D{
			{Key: "aggregate", Value: 1}, {Key: "cursor", Value: bson.D{}},
			{Key: "pipeline", Value: bson.A{
				bson.D{{Key: "$currentOp", Value: bson.D{{Key: "idleCursors", Value: true}}}},
				bson.D{{Key: "$match", Value: isStream}},
			}},
		})
		if err != nil {
			return false
		}
		streams, err := answer.Lookup("cursor", "firstBatch").Array().Values()
		return err == nil && len(streams) > 0
	}, watchMax, 10*time.Millisecond, "nobody watches")
}
