package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/eventstore"
)

type snapshotDocument struct {
	Stream  string `bson:"_id"`
	Version int64  `bson:"version"`
	EventID string `bson:"eventId"`
	Schema  int    `bson:"schema"`
	Data    []byte `bson:"data"`
}

// SaveSnapshot implements eventstore.Engine. One that is larger than a document
// may be, 16 MB, is an error.
func (s *EventStore) SaveSnapshot(ctx context.Context, snapshot eventstore.Snapshot) error {
	_, err := s.snapshots.ReplaceOne(ctx, bson.D{{Key: "_id", Value: snapshot.Stream}},
		snapshotDocument(snapshot), options.Replace().SetUpsert(true))
	return err
}

// LoadSnapshot implements eventstore.Engine.
func (s *EventStore) LoadSnapshot(ctx context.Context, stream string) (eventstore.Snapshot, error) {
	var found snapshotDocument
	err := s.snapshots.FindOne(ctx, bson.D{{Key: "_id", Value: stream}}).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = eventstore.ErrNoSnapshot
	}
	return eventstore.Snapshot(found), err
}
