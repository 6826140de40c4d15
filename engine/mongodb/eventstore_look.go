package mongodb

import (
	"context"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// facts are what was read of the store for one group. Everything in them is
// durable; what is not in them may have come since.
type facts struct {
	// heads are versions of streams, NoVersion included.
	heads map[string]int64
	// looked: ids and keys hold what the store has of those in the group.
	looked bool
	ids    map[string]stored
	keys   map[event.Key]eventstore.KeyRecord
}

// streamHead is a stream with its last version.
type streamHead struct {
	Stream  string `bson:"_id"`
	Version int64  `bson:"version"`
}

// look reads everything about the commits that are not settled.
//
// The ids come last. An earlier attempt may arrive at any moment: what it changes
// of heads and keys before they are read, its ids then tell to be our own.
func (a *appending) look(ctx context.Context) error {
	var ids []string
	streams := make(map[string]bool)
	for _, c := range a.group[a.from:] {
		streams[c.Stream] = true
		for i := range c.Events {
			ids = append(ids, c.Events[i].ID)
		}
	}
	if err := a.lookForHeads(ctx, a.events, slices.Collect(maps.Keys(streams))); err != nil {
		return err
	}
	if err := a.lookForKeys(ctx); err != nil {
		return err
	}
	if err := a.lookForIDs(ctx, ids); err != nil {
		return err
	}
	a.looked = true
	return nil
}

// lookForHeads reads the versions of streams: one search in the index for each.
func (a *appending) lookForHeads(ctx context.Context, from *mongo.Collection, streams []string) error {
	if len(streams) == 0 {
		return nil
	}
	cursor, err := from.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: fieldStream, Value: bson.D{{Key: "$in", Value: streams}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: fieldStream, Value: -1}, {Key: fieldVersion, Value: -1}}}},
		{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: "$" + fieldStream},
			{Key: "version", Value: bson.D{{Key: "$first", Value: "$" + fieldVersion}}},
		}}},
	}, options.Aggregate().SetHint(streamIndex).SetBatchSize(batchMax))
	if err != nil {
		return err
	}
	var heads []streamHead
	if err := cursor.All(ctx, &heads); err != nil {
		return err
	}
	if a.heads == nil {
		a.heads = make(map[string]int64, len(streams))
	}
	for _, stream := range streams {
		a.heads[stream] = event.NoVersion
	}
	for _, head := range heads {
		a.heads[head.Stream] = head.Version
		a.memory.saw(head.Stream, head.Version)
	}
	return nil
}

// lookForIDs reads where events stand.
func (a *appending) lookForIDs(ctx context.Context, ids []string) error {
	a.ids = make(map[string]stored)
	if len(ids) == 0 {
		return nil
	}
	with := options.Find().SetHint(idIndex).SetBatchSize(batchMax).
		SetProjection(only(fieldPosition, fieldStream, fieldVersion, fieldID))
	return a.find(ctx, bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: ids}}}}, with, func(d stored) bool {
		a.ids[d.ID] = d
		return true
	})
}

// lookForKeys reads what was committed under the keys of the group.
func (a *appending) lookForKeys(ctx context.Context) error {
	a.keys = make(map[event.Key]eventstore.KeyRecord)
	values := make(map[string][]string) // of each client
	for i := range a.group[a.from:] {
		if key := a.group[a.from+i].Key; !key.IsZero() {
			values[key.Client] = append(values[key.Client], key.Value)
		}
	}
	if len(values) == 0 {
		return nil
	}
	var clients bson.A
	for client, keys := range values {
		clients = append(clients, bson.D{
			{Key: fieldClient, Value: client}, {Key: fieldKey, Value: bson.D{{Key: "$in", Value: keys}}},
		})
	}
	with := options.Find().SetProjection(recordFields()).SetBatchSize(batchMax)
	return a.find(ctx, bson.D{{Key: "$or", Value: clients}}, with, func(d stored) bool {
		a.keys[d.record.Key] = d.record
		return true
	})
}
