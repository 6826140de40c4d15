package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/eventstore"
)

var _ eventstore.Watcher = (*EventStore)(nil)

const (
	// watchAwait is how long the server keeps a question open that it has no
	// answer to; watchTimeout, how long an answer may take. A member that has
	// stopped without closing its connections is noticed by that.
	watchAwait   = time.Second
	watchTimeout = 5 * time.Second
	// watchPace is how far apart questions are that were answered: under load there
	// would be one for each write. Who is woken has a pace too, by default the same.
	watchPace = 10 * time.Millisecond
)

// Watch implements eventstore.Watcher by a change stream. It announces what a
// majority has, so what it calls for can be read.
//
// The stream begins anew with every call, at the present: a token to resume from
// would be good for nothing, because whoever is woken reads what he has not read,
// and it may have fallen out of the oplog.
func (s *EventStore) Watch(ctx context.Context, wake func()) error {
	stream, err := s.events.Watch(ctx, s.othersInserts(), options.ChangeStream().SetMaxAwaitTime(watchAwait))
	if err != nil {
		return fmt.Errorf("watch collection %s: %w", eventCollection, err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		_ = stream.Close(closing) // the server does it, later, where this fails
	}()
	if err := s.awaitMajority(ctx); err != nil {
		return fmt.Errorf("watch collection %s: %w", eventCollection, err)
	}
	wake()
	for {
		news, err := nextBatch(ctx, stream)
		if err != nil {
			return fmt.Errorf("watch collection %s: %w", eventCollection, err)
		}
		if news {
			wake()
			rest(ctx, watchPace)
		}
	}
}

// awaitMajority returns once a majority has whatever the primary had when it was
// called. A stream begins behind what is in the primary's oplog, and that may
// hold events which nobody can read yet: they are not announced any more, and
// who looked for them at once would not find them.
func (s *EventStore) awaitMajority(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	// A linearizable read is answered when a write behind everything else in the
	// oplog is on a majority. That there is no such document changes nothing.
	err := s.current.FindOne(ctx, bson.D{{Key: fieldPosition, Value: int64(0)}}).Err()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	return err
}

// othersInserts are the inserts of other processes, as little of them as can be.
// The server skips this process's own while it reads its oplog: else a busy
// writer would be sent a note of everything that it writes.
func (s *EventStore) othersInserts() mongo.Pipeline {
	return mongo.Pipeline{
		{{Key: "$match", Value: bson.D{
			{Key: "operationType", Value: "insert"},
			{Key: "fullDocument." + fieldWriter, Value: bson.D{{Key: "$ne", Value: s.writer}}},
		}}},
		{{Key: "$project", Value: bson.D{{Key: "_id", Value: 1}}}}, // the token, without which there is no stream
	}
}

// errStreamEnded: the server has ended it, as it does when the collection is
// dropped.
var errStreamEnded = errors.New("the server has ended the change stream")

// nextBatch reads on, and tells whether there was anything.
func nextBatch(ctx context.Context, stream *mongo.ChangeStream) (news bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	for stream.TryNext(ctx) {
		news = true
		if stream.RemainingBatchLength() == 0 {
			return news, nil
		}
	}
	if err := stream.Err(); err != nil {
		return news, err
	}
	if stream.ID() == 0 {
		return news, errStreamEnded
	}
	return news, nil
}
