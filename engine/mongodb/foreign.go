package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// Foreign is a collection of another program, on any MongoDB that can be
// reached: a replica set or a single server. Nothing is ever written to it, and
// what its documents mean is for the caller to know. Safe for concurrent use.
type Foreign struct {
	client     *mongo.Client
	collection *mongo.Collection
}

// OpenForeign opens a collection in the database that the URL names, or in
// database if it names none, and asks whether the server answers. No error holds
// the password; one that is ErrUnusable stays until the URL is another one.
func OpenForeign(ctx context.Context, url, database, collection string) (*Foreign, error) {
	parsed, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnusable, wrongURL(url, err))
	}
	if parsed.Database != "" {
		database = parsed.Database
	}
	// No time-out of operations: one walk through the collection is as long as
	// whoever walks takes for what he reads.
	with := options.Client().ApplyURI(url).SetAppName("passbook import")
	if !parsed.ServerSelectionTimeoutSet {
		with.SetServerSelectionTimeout(foreignSelection)
	}
	client, err := mongo.Connect(with)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnusable, wrongURL(url, err))
	}
	f := &Foreign{client: client, collection: client.Database(database).Collection(collection)}
	if _, err := f.Count(ctx); err != nil {
		if mongo.IsTimeout(err) && ctx.Err() == nil {
			err = fmt.Errorf("no server answers: are host, port and replicaSet right? %w", err)
		}
		return nil, errors.Join(fmt.Errorf("read collection %s of database %s: %w", collection, database, err), f.Close())
	}
	return f, nil
}

// foreignSelection is how long a server is looked for.
const foreignSelection = 10 * time.Second

// Name is the collection's, behind that of its database.
func (f *Foreign) Name() string {
	return f.collection.Database().Name() + "." + f.collection.Name()
}

// Count returns about how many documents there are.
func (f *Foreign) Count(ctx context.Context) (int64, error) {
	return f.collection.EstimatedDocumentCount(ctx)
}

// foreignBatch is how many documents come at once.
const foreignBatch = 1000

// Documents yields every document as its BSON bytes, ascending by _id. The bytes
// belong to the caller until the next ones come. It ends behind the first error.
// What is written meanwhile may be among them or not.
func (f *Foreign) Documents(ctx context.Context) iter.Seq2[[]byte, error] {
	// One cursor, and no pages by _id: a comparison finds values of one type only,
	// and nobody knows what types there are.
	return func(yield func([]byte, error) bool) {
		cursor, err := f.collection.Find(ctx, bson.D{}, options.Find().SetSort(ascending("_id")).SetBatchSize(foreignBatch))
		if err != nil {
			yield(nil, err)
			return
		}
		defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the server ends what nobody asks for any more
		for cursor.Next(ctx) {
			if !yield(cursor.Current, nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// Close ends the connections.
func (f *Foreign) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return f.client.Disconnect(ctx)
}
