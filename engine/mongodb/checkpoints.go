package mongodb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/checkpoint"
)

// Checkpoints is a checkpoint.Store in the database of an event store: who reads
// the store keeps its place beside it, and a back-up takes both. A reader's lease
// and progress are one document, so that each call is one write. Its clock is
// that of the replica set's primary. Safe for concurrent use.
type Checkpoints struct{ leases *mongo.Collection }

var _ checkpoint.Store = (*Checkpoints)(nil)

// Checkpoints returns the checkpoints in the store's database. They are closed
// with the store.
func (s *EventStore) Checkpoints() *Checkpoints { return &Checkpoints{leases: s.leases} }

// leaseDocument is one reader's. The fence stays when the holder is gone: the
// next counts on.
type leaseDocument struct {
	Name   string `bson:"_id"`
	Holder string `bson:"holder"`
	Fence  int64  `bson:"fence"`
	// Until is missing once the lease was given back, and before it was first given.
	Until    *time.Time         `bson:"until"`
	Progress []progressDocument `bson:"progress"`
}

type progressDocument struct {
	Partition int32  `bson:"partition"`
	History   string `bson:"history"`
	Topic     string `bson:"topic"`
	First     int64  `bson:"first"`
	Next      int64  `bson:"next"`
	EventID   string `bson:"eventId"`
	Position  int64  `bson:"position"`
	Confirmed int64  `bson:"confirmed"`
}

func named(name string) bson.D { return bson.D{{Key: "_id", Value: name}} }

// Acquire implements checkpoint.Store.
func (c *Checkpoints) Acquire(
	ctx context.Context, name, holder string, duration time.Duration,
) (checkpoint.Lease, error) {
	lease, err := c.take(ctx, name, holder, duration)
	if !errors.Is(err, checkpoint.ErrHeld) {
		return lease, err
	}
	// Held, or nobody ever had it and there is no document to take; or it was made
	// by another a moment ago, who may or may not come to take it.
	_, err = c.leases.UpdateOne(ctx, named(name),
		bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "fence", Value: int64(0)}}}}, options.UpdateOne().SetUpsert(true))
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return checkpoint.Lease{}, err
	}
	return c.take(ctx, name, holder, duration)
}

// take gets a lease whose document is there, or ErrHeld.
func (c *Checkpoints) take(
	ctx context.Context, name, holder string, duration time.Duration,
) (checkpoint.Lease, error) {
	free := bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "holder", Value: holder}},
		bson.D{{Key: "until", Value: bson.D{{Key: "$exists", Value: false}}}},
		bson.D{{Key: "$expr", Value: bson.D{{Key: "$lte", Value: bson.A{"$until", "$$NOW"}}}}},
	}}}
	given := mongo.Pipeline{{{Key: "$set", Value: bson.D{
		{Key: "holder", Value: literal(holder)},
		{Key: "fence", Value: bson.D{{Key: "$add", Value: bson.A{"$fence", int64(1)}}}},
		{Key: "until", Value: fromNow(duration)},
	}}}}
	var taken leaseDocument
	err := c.leases.FindOneAndUpdate(ctx, append(named(name), free...), given,
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&taken)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return checkpoint.Lease{}, checkpoint.ErrHeld
	case err != nil:
		return checkpoint.Lease{}, err
	}
	return checkpoint.Lease{Name: name, Holder: holder, Fence: taken.Fence}, nil
}

// literal keeps a text that begins with a dollar from being taken for a field.
func literal(text string) bson.D { return bson.D{{Key: "$literal", Value: text}} }

// fromNow is a time by the primary's clock. It counts whole milliseconds, so a
// part of one is rounded up.
func fromNow(duration time.Duration) bson.D {
	milliseconds := int64((duration + time.Millisecond - 1) / time.Millisecond)
	return bson.D{{Key: "$add", Value: bson.A{"$$NOW", milliseconds}}}
}

// with changes the document of a lease unless that is lost.
func (c *Checkpoints) with(ctx context.Context, lease checkpoint.Lease, change any) error {
	good := append(named(lease.Name),
		bson.E{Key: "fence", Value: lease.Fence},
		bson.E{Key: "until", Value: bson.D{{Key: "$exists", Value: true}}})
	result, err := c.leases.UpdateOne(ctx, good, change)
	switch {
	case err != nil:
		return err
	case result.MatchedCount == 0:
		return checkpoint.ErrLost
	}
	return nil
}

// Renew implements checkpoint.Store.
func (c *Checkpoints) Renew(ctx context.Context, lease checkpoint.Lease, duration time.Duration) error {
	return c.with(ctx, lease, mongo.Pipeline{{{Key: "$set", Value: bson.D{{Key: "until", Value: fromNow(duration)}}}}})
}

// Release implements checkpoint.Store.
func (c *Checkpoints) Release(ctx context.Context, lease checkpoint.Lease) error {
	err := c.with(ctx, lease, bson.D{{Key: "$unset", Value: bson.D{{Key: "until", Value: ""}}}})
	if errors.Is(err, checkpoint.ErrLost) {
		return nil
	}
	return err
}

// Save implements checkpoint.Store.
func (c *Checkpoints) Save(ctx context.Context, lease checkpoint.Lease, progress []checkpoint.Progress) error {
	rows := make([]progressDocument, len(progress))
	for i, p := range progress {
		rows[i] = progressDocument{
			Partition: p.Partition, History: p.History, Topic: p.Topic, First: p.First, Next: p.Next,
			EventID: p.EventID, Position: p.Position, Confirmed: p.Confirmed,
		}
	}
	slices.SortFunc(rows, func(a, b progressDocument) int { return cmp.Compare(a.Partition, b.Partition) })
	return c.with(ctx, lease, bson.D{{Key: "$set", Value: bson.D{{Key: "progress", Value: rows}}}})
}

// Load implements checkpoint.Store.
func (c *Checkpoints) Load(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
	var found leaseDocument
	err := c.leases.FindOne(ctx, named(reader)).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var progress []checkpoint.Progress
	for _, p := range found.Progress {
		progress = append(progress, checkpoint.Progress{
			Partition: p.Partition, History: p.History, Topic: p.Topic, First: p.First, Next: p.Next,
			EventID: p.EventID, Position: p.Position, Confirmed: p.Confirmed,
		})
	}
	return progress, nil
}
