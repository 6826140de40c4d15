package mongodb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/engine/mongodb"
	"passbook/internal/testenv"
)

// TestOpenEventStore_Refused: what would not keep events is named, and left as
// it is.
func TestOpenEventStore_Refused(t *testing.T) {
	t.Parallel()
	const events = "eventStore"
	one := int32(1)
	index := func(with *options.IndexOptionsBuilder, keys ...string) func(*testing.T, *mongo.Database) {
		return func(t *testing.T, db *mongo.Database) {
			fields := bson.D{}
			for _, key := range keys {
				fields = append(fields, bson.E{Key: key, Value: one})
			}
			_, err := db.Collection(events).Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: fields, Options: with})
			require.NoError(t, err)
		}
	}
	collection := func(with *options.CreateCollectionOptionsBuilder) func(*testing.T, *mongo.Database) {
		return func(t *testing.T, db *mongo.Database) {
			require.NoError(t, db.CreateCollection(t.Context(), events, with))
		}
	}
	document := func(d bson.D) func(*testing.T, *mongo.Database) {
		return func(t *testing.T, db *mongo.Database) {
			_, err := db.Collection(events).InsertOne(t.Context(), d)
			require.NoError(t, err)
		}
	}
	german := &options.Collation{Locale: "de", Strength: 1}
	for _, test := range []struct {
		name, says string
		make       func(*testing.T, *mongo.Database)
	}{
		{"ObjectId", "whose _id is a objectID", document(bson.D{{Key: "_id", Value: bson.NewObjectID()}})},
		{"32-bit position", "whose _id is a 32-bit integer", document(bson.D{{Key: "_id", Value: one}})},
		{"begins late", "begins at position 7", document(bson.D{{Key: "_id", Value: int64(7)}})},
		{"plain index", "index aggregateIdentifier_1_version_1 of collection eventStore is not unique",
			index(options.Index(), "aggregateIdentifier", "version")},
		{"partial index", "covers a part of the events only", index(options.Index().SetUnique(true).
			SetPartialFilterExpression(bson.D{{Key: "version", Value: bson.D{{Key: "$gt", Value: 5}}}}), "aggregateIdentifier", "version")},
		{"other filter", "covers other documents than those with a key",
			index(options.Index().SetUnique(true), "idempotencyClient", "idempotencyKey")},
		{"index with collation", "has a collation", index(options.Index().SetUnique(true).SetCollation(german), "eventId")},
		{"sparse index", "is sparse", index(options.Index().SetUnique(true).SetSparse(true), "eventId")},
		{"expiring index", "expires", index(options.Index().SetExpireAfterSeconds(3600), "timeStamp")},
		{"foreign unique index", "unique index timeStamp_1", index(options.Index().SetUnique(true), "timeStamp")},
		{"capped collection", "option capped", collection(options.CreateCollection().SetCapped(true).SetSizeInBytes(1 << 20))},
		{"collation", "option collation", collection(options.CreateCollection().SetCollation(german))},
		{"view", "is a view", func(t *testing.T, db *mongo.Database) {
			require.NoError(t, db.CreateView(t.Context(), events, "other", mongo.Pipeline{}))
		}},
		{"double", "unique indexes forbid", func(t *testing.T, db *mongo.Database) {
			for id := range int64(2) {
				document(bson.D{{Key: "_id", Value: id + 1}, {Key: "aggregateIdentifier", Value: "a"}, {Key: "version", Value: int64(0)}})(t, db)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			test.make(t, r.bare(t))
			_, err := mongodb.OpenEventStore(t.Context(), r.url)
			require.ErrorIs(t, err, mongodb.ErrUnusable)
			requireOneLine(t, err, test.says, r.database)
		})
	}
}

// TestOpenEventStore_Indexes: what is made is what the appends rest on.
func TestOpenEventStore_Indexes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.open(t)
	r.open(t) // again, beside the first
	specifications, err := r.bare(t).Collection("eventStore").Indexes().ListSpecifications(t.Context())
	require.NoError(t, err)
	unique := make(map[string]bool)
	for _, s := range specifications {
		unique[s.Name] = s.Unique != nil && *s.Unique
	}
	require.Equal(t, map[string]bool{
		"_id_": false, "aggregateIdentifier_1_version_1": true, "eventId_1": true,
		"idempotencyClient_1_idempotencyKey_1": true,
	}, unique)
}

// TestOpenEventStore_AtOnce: processes that start together on an empty database
// agree on its history.
func TestOpenEventStore_AtOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	const openers = 4
	histories, errs := make(chan string, openers), make(chan error, openers)
	for range openers {
		go func() {
			store, err := mongodb.OpenEventStore(t.Context(), r.url)
			if err != nil {
				errs <- err
				return
			}
			history, err := store.History(t.Context())
			histories <- history
			if closed := store.Close(); err == nil {
				err = closed
			}
			errs <- err
		}()
	}
	for range openers {
		require.NoError(t, <-errs)
	}
	first := <-histories
	for range openers - 1 {
		require.Equal(t, first, <-histories)
	}
}

// TestOpenEventStore_URL needs no server. No part of a password is ever told.
func TestOpenEventStore_URL(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"mysql://x/y":                             "scheme",
		"localhost":                               "no scheme",
		"mongodb://me:sec%ret@host/db":            "%XX",
		"mongodb://me:sec/ret@host/db":            "%XX",
		"mongodb://me:sec@ret@host/db":            "%XX",
		"mongodb://me:secret@host/db?w=x&bad=%zz": "wrong",
		"mongodb://me:secret@host:port/db":        "wrong",
		"mongodb://:secret@host/db":               "wrong",
		"mongodb://me:secret@/db":                 "wrong",
		"mongodb://host/?tlsCertificateKeyFilePassword=secret&connectTimeoutMS=x": "wrong",
	} {
		_, err := mongodb.OpenEventStore(t.Context(), url)
		require.ErrorIs(t, err, mongodb.ErrUnusable, url)
		requireOneLine(t, err, says)
		require.NotContains(t, err.Error(), "sec", url)
		require.NotContains(t, err.Error(), "ret@", url)
	}
}

// TestOpenEventStore_NotReached: that may pass, so it is not ErrUnusable.
func TestOpenEventStore_NotReached(t *testing.T) {
	t.Parallel()
	began := time.Now()
	_, err := mongodb.OpenEventStore(t.Context(), "mongodb://me:secret@"+testenv.FreeAddr(t)+"/x?replicaSet=rs0")
	requireOneLine(t, err, "open event store in database x")
	require.NotErrorIs(t, err, mongodb.ErrUnusable)
	require.NotContains(t, err.Error(), "secret")
	require.Less(t, time.Since(began), time.Minute, "it waits for an answer, not for a server")
}
