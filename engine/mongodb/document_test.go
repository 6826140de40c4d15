package mongodb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/es/eventstore"
)

// TestDocument: what a person sees in a database tool.
func TestDocument(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	c := keyed(opening("account-1", 2), "k")
	e := &c.Events[1]
	e.Time = time.Date(2026, 11, 22, 12, 30, 15, 123_456_000, time.UTC)
	e.Data = []byte(`{"amount":{"amount":"12.50","currency":"EUR"},"n":7,"list":[1.50,true,null,{"a.b":1}],"$set":"x"}`)
	store := r.open(t)
	mustAppend(t, store, 1, c)
	var got bson.M
	events := r.bare(t).Collection("eventStore")
	require.NoError(t, events.FindOne(t.Context(), bson.D{{Key: "_id", Value: int64(2)}}).Decode(&got))
	require.Equal(t, int64(2), got["_id"])
	require.Equal(t, bson.NewDateTimeFromTime(e.Time), got["timeStamp"])
	require.Equal(t, "account-1", got["aggregateIdentifier"])
	require.Equal(t, "account", got["aggregateType"])
	require.Equal(t, int64(1), got["version"])
	require.Equal(t, "passbook.account.deposited", got["eventType"])
	require.Equal(t, bson.Binary{Data: e.Data}, got["payload"])
	require.Equal(t, "k", got["idempotencyKey"], "on the last event of the commit")
	decimal, err := bson.ParseDecimal128("1.50")
	require.NoError(t, err)
	require.Equal(t, bson.D{
		{Key: "amount", Value: bson.D{{Key: "amount", Value: "12.50"}, {Key: "currency", Value: "EUR"}}},
		{Key: "n", Value: int64(7)},
		{Key: "list", Value: bson.A{decimal, true, nil, bson.D{{Key: "a.b", Value: int64(1)}}}},
		{Key: "$set", Value: "x"},
	}, got["eventData"])
	require.NoError(t, events.FindOne(t.Context(), bson.D{{Key: "_id", Value: int64(1)}}).Decode(&got))
	n, err := events.CountDocuments(t.Context(), bson.D{{Key: "idempotencyKey", Value: "k"}})
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}

// TestAppend_Refused: a validator that somebody has added refuses one event. The
// commits before it are there, the one that it belongs to is not, also where all
// of them are a transaction.
func TestAppend_Refused(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 2; n++ {
		r := newRoom(t)
		store := r.open(t)
		require.NoError(t, r.bare(t).RunCommand(t.Context(), bson.D{
			{Key: "collMod", Value: "eventStore"},
			{Key: "validator", Value: bson.D{{Key: "eventType", Value: bson.D{{Key: "$ne", Value: "bad"}}}}},
		}).Err())
		bad := keyed(opening("bad", n), "k")
		bad.Events[n-1].Type.Name = "bad"
		outcomes, err := store.Append(t.Context(), 1, []eventstore.Commit{opening("a", n), bad, opening("b", n)})
		require.NoError(t, err)
		require.Equal(t, eventstore.Outcome{State: eventstore.Written, Position: 1}, outcomes[0])
		require.Equal(t, eventstore.Rejected, outcomes[1].State)
		require.Contains(t, outcomes[1].Reason, "code 121")
		require.Equal(t, eventstore.NotTried, outcomes[2].State)
		require.Len(t, readAll(t, store), n)
	}
}

// TestAppend_BehindNothing: having asked for what is not there yet makes no gap.
func TestAppend_BehindNothing(t *testing.T) {
	t.Parallel()
	store := newRoom(t).open(t)
	mustAppend(t, store, 1, opening("a", 1))
	page, err := store.ReadAll(t.Context(), 100, 10)
	require.NoError(t, err)
	require.Empty(t, page)
	outcomes, err := store.Append(t.Context(), 101, []eventstore.Commit{opening("b", 1)})
	require.NoError(t, err)
	require.Equal(t, eventstore.NotTried, outcomes[0].State)
	require.Len(t, readAll(t, store), 1)
}

// TestAppend_TooLarge: a document that the server does not take is refused, and
// does not hold up the others.
func TestAppend_TooLarge(t *testing.T) {
	t.Parallel()
	store := newRoom(t).open(t)
	large := opening("large", 1)
	large.Events[0].Data = []byte(`"` + strings.Repeat("x", 16<<20) + `"`)
	outcomes, err := store.Append(t.Context(), 1, []eventstore.Commit{opening("a", 1), large, opening("b", 1)})
	require.NoError(t, err)
	require.Equal(t, eventstore.Written, outcomes[0].State)
	require.Equal(t, eventstore.Rejected, outcomes[1].State)
	require.Contains(t, outcomes[1].Reason, "bytes")
	mustAppend(t, store, 2, opening("b", 1))
}
