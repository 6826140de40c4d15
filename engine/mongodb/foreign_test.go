package mongodb_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/engine/mongodb"
)

// Every document is read, whatever its _id is, in the order of the server, over
// more than one batch; and the collection need not be ours in any way.
func TestForeign_Documents(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	collection := r.bare(t).Collection("theirs")
	want := []any{int32(7)}
	for i := range int32(1500) {
		want = append(want, bson.D{{Key: "n", Value: i}})
	}
	want = append(want, bson.NewObjectID())
	for _, id := range slices.Backward(want) {
		_, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}})
		require.NoError(t, err)
	}
	foreign, err := mongodb.OpenForeign(t.Context(), r.url, "unused", "theirs")
	require.NoError(t, err)
	defer func() { require.NoError(t, foreign.Close()) }()
	require.Equal(t, r.database+".theirs", foreign.Name())
	count, err := foreign.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(len(want)), count)
	for range 2 {
		n := 0
		for document, err := range foreign.Documents(t.Context()) {
			require.NoError(t, err)
			wanted, err := bson.Marshal(bson.D{{Key: "_id", Value: want[n]}})
			require.NoError(t, err)
			require.Equal(t, wanted, append([]byte{}, document...))
			n++
		}
		require.Equal(t, len(want), n)
	}
}

func TestOpenForeign_Refused(t *testing.T) {
	t.Parallel()
	_, err := mongodb.OpenForeign(t.Context(), "mongodb://me:secret@127.0.0.1:99999/x", "d", "c")
	require.ErrorIs(t, err, mongodb.ErrUnusable)
	require.NotContains(t, err.Error(), "secret")
	_, err = mongodb.OpenForeign(t.Context(), "mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=50", "d", "c")
	require.ErrorContains(t, err, "no server answers")
	require.NotContains(t, err.Error(), "secret")
}
