package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// index is a unique index of the events. What makes positions unique is the
// index of _id, which every collection has.
type index struct {
	name   string
	fields []string
	// partial: only documents that have the last of the fields.
	partial bool
}

const (
	streamIndex = "aggregateIdentifier_1_version_1"
	idIndex     = "eventId_1"
	keyIndex    = "idempotencyClient_1_idempotencyKey_1"
)

func indexes() []index {
	return []index{
		{name: streamIndex, fields: []string{fieldStream, fieldVersion}},
		{name: idIndex, fields: []string{fieldID}},
		{name: keyIndex, fields: []string{fieldClient, fieldKey}, partial: true},
	}
}

func (i index) keys() bson.D {
	keys := make(bson.D, len(i.fields))
	for j, field := range i.fields {
		keys[j] = bson.E{Key: field, Value: int32(1)}
	}
	return keys
}

func (i index) filter() bson.D {
	if !i.partial {
		return nil
	}
	return bson.D{{Key: i.fields[len(i.fields)-1], Value: bson.D{{Key: "$exists", Value: true}}}}
}

func (i index) model() mongo.IndexModel {
	with := options.Index().SetName(i.name).SetUnique(true)
	if i.partial {
		with.SetPartialFilterExpression(i.filter())
	}
	return mongo.IndexModel{Keys: i.keys(), Options: with}
}

// existing is an index as the server lists it.
type existing struct {
	Name      string   `bson:"name"`
	Key       bson.D   `bson:"key"`
	Unique    bool     `bson:"unique"`
	Sparse    bool     `bson:"sparse"`
	Partial   bson.D   `bson:"partialFilterExpression"`
	Collation bson.Raw `bson:"collation"`
	Expire    *float64 `bson:"expireAfterSeconds"`
}

// makeCollections creates what is missing and refuses what is there and wrong.
// An index that is not unique would let two processes write the same version;
// one that expires would delete events.
func (s *EventStore) makeCollections(ctx context.Context) error {
	for _, c := range []*mongo.Collection{s.events, s.snapshots, s.leases, s.stores} {
		if err := makeCollection(ctx, c); err != nil {
			return err
		}
	}
	missing, err := s.missingIndexes(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	if _, err := s.events.Indexes().CreateMany(ctx, missing); err != nil {
		if mongo.IsDuplicateKeyError(err) {
			return fmt.Errorf("%w: collection %s holds events that its unique indexes forbid: %s",
				ErrUnusable, eventCollection, oneLine(err))
		}
		return fmt.Errorf("create indexes of collection %s: %w", eventCollection, err)
	}
	_, err = s.missingIndexes(ctx) // read back
	return err
}

// codeNamespaceExists: another process has made the collection meanwhile.
const codeNamespaceExists = 48

func makeCollection(ctx context.Context, c *mongo.Collection) error {
	err := c.Database().CreateCollection(ctx, c.Name())
	if failure, ok := errors.AsType[mongo.CommandError](err); err != nil && (!ok || failure.Code != codeNamespaceExists) {
		return fmt.Errorf("create collection %s: %w", c.Name(), err)
	}
	found, err := c.Database().ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: c.Name()}})
	if err != nil {
		return fmt.Errorf("check collection %s: %w", c.Name(), err)
	}
	for _, one := range found {
		if one.Type != "collection" {
			return fmt.Errorf("%w: %s is a %s, not a collection", ErrUnusable, c.Name(), one.Type)
		}
		for _, option := range []string{"capped", "collation", "validator", "clusteredIndex", "expireAfterSeconds"} {
			if _, err := one.Options.LookupErr(option); err == nil {
				return fmt.Errorf("%w: collection %s was created with the option %s: use another database",
					ErrUnusable, c.Name(), option)
			}
		}
	}
	return nil
}

// missingIndexes returns the indexes that are yet to be made.
func (s *EventStore) missingIndexes(ctx context.Context) ([]mongo.IndexModel, error) {
	cursor, err := s.events.Indexes().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list indexes of collection %s: %w", eventCollection, err)
	}
	var there []existing
	if err := cursor.All(ctx, &there); err != nil {
		return nil, fmt.Errorf("list indexes of collection %s: %w", eventCollection, err)
	}
	var missing []mongo.IndexModel
	wanted := make(map[string]bool)
	for _, want := range indexes() {
		wanted[fields(want.keys())] = true
		found := false
		for _, one := range there {
			if fields(one.Key) == fields(want.keys()) {
				found = true
				if fault := want.fault(one); fault != "" {
					return nil, fmt.Errorf("%w: index %s of collection %s %s: drop it, and start again to have it made as it must be",
						ErrUnusable, one.Name, eventCollection, fault)
				}
			}
		}
		if !found {
			missing = append(missing, want.model())
		}
	}
	return missing, foreignIndex(there, wanted)
}

// foreignIndex refuses an index of somebody else's that changes what can be
// written, or deletes.
func foreignIndex(there []existing, wanted map[string]bool) error {
	for _, one := range there {
		switch {
		case one.Expire != nil:
			return fmt.Errorf("%w: index %s of collection %s expires, and would delete events: drop it",
				ErrUnusable, one.Name, eventCollection)
		case one.Unique && !wanted[fields(one.Key)]:
			return fmt.Errorf("%w: unique index %s of collection %s would refuse events: drop it",
				ErrUnusable, one.Name, eventCollection)
		}
	}
	return nil
}

// fault says what is wrong with the index that is there.
func (i index) fault(there existing) string {
	switch {
	case !there.Unique:
		return "is not unique"
	case there.Sparse:
		return "is sparse"
	case there.Collation != nil:
		return "has a collation, and would take different names for equal"
	case !i.partial && there.Partial != nil:
		return "covers a part of the events only"
	case i.partial && !sameFilter(i.filter(), there.Partial):
		return "covers other documents than those with a key"
	}
	return ""
}

func sameFilter(want, got bson.D) bool {
	w, errWant := bson.MarshalExtJSON(want, true, false)
	g, errGot := bson.MarshalExtJSON(got, true, false)
	return errWant == nil && errGot == nil && string(w) == string(g)
}

// fields writes an index's keys for comparing: directions are whatever number
// type somebody's shell has chosen.
func fields(keys bson.D) string {
	var b strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&b, "%s:%v ", key.Key, key.Value)
	}
	return b.String()
}

// checkPositions refuses a collection whose _id is something else: the store
// that this one's collection is named after keeps its events under ObjectIds.
// Values sort by type first, so the least and the greatest tell of all but a
// number of another type between them, which reading refuses.
func (s *EventStore) checkPositions(ctx context.Context) error {
	for _, direction := range []int{1, -1} {
		with := options.FindOne().SetSort(bson.D{{Key: fieldPosition, Value: direction}}).
			SetProjection(bson.D{{Key: fieldPosition, Value: 1}})
		document, err := s.events.FindOne(ctx, bson.D{}, with).Raw()
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read collection %s: %w", eventCollection, err)
		}
		id := document.Lookup(fieldPosition)
		position, ok := id.Int64OK()
		switch {
		case !ok || id.Type != bson.TypeInt64:
			return fmt.Errorf("%w: collection %s has a document whose _id is a %s and not a 64-bit position: "+
				"it is another program's event store: use another database, and import from this one",
				ErrUnusable, eventCollection, id.Type)
		case direction > 0 && position != 1:
			return fmt.Errorf("%w: collection %s begins at position %d, not at 1: events are missing: put it back from a back-up",
				ErrUnusable, eventCollection, position)
		}
	}
	return nil
}
