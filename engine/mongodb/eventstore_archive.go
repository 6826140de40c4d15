package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/event"
	"passbook/es/eventstore"
)

var (
	_ eventstore.KeySource = (*EventStore)(nil)
	_ eventstore.Filler    = (*EventStore)(nil)
)

// keysPage is how many keys one read brings.
const keysPage = 1000

// Keys implements eventstore.KeySource. It walks through the events: a key stands
// on the last one of its commit.
func (s *EventStore) Keys(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
	with := options.Find().SetSort(ascending(fieldPosition)).SetHint(positionIndex).
		SetLimit(keysPage).SetBatchSize(keysPage).SetProjection(recordFields())
	return func(yield func(eventstore.KeyRecord, error) bool) {
		for last := int64(0); ; {
			filter := bson.D{
				{Key: fieldPosition, Value: bson.D{{Key: "$gt", Value: last}, {Key: "$lte", Value: upTo}}},
				{Key: fieldKey, Value: bson.D{{Key: "$exists", Value: true}}},
			}
			var page []eventstore.KeyRecord
			err := s.find(ctx, filter, with, func(d stored) bool {
				page = append(page, d.record)
				return true
			})
			if err != nil {
				yield(eventstore.KeyRecord{}, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) < keysPage {
				return
			}
			last = page[len(page)-1].Position
		}
	}
}

// BeginImport implements eventstore.Filler.
func (s *EventStore) BeginImport(ctx context.Context, source string) (int64, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	store, err := s.store(ctx)
	if err != nil {
		return 0, err
	}
	switch from, yes := store.importing(); {
	case yes && from == source:
		return head, nil
	case yes:
		return 0, eventstore.ErrOtherImport
	case head > 0:
		return 0, fmt.Errorf("%w: it holds %d events", eventstore.ErrNotEmpty, head)
	}
	filter := append(isStore(), bson.E{Key: "pending", Value: ""})
	result, err := s.stores.UpdateOne(ctx, filter,
		bson.D{{Key: "$set", Value: bson.D{{Key: "pending", Value: pendingImport + source}}}})
	if err == nil && result.MatchedCount == 0 {
		err = eventstore.ErrOtherImport
	}
	return 0, err
}

// ImportEvents implements eventstore.Filler.
func (s *EventStore) ImportEvents(
	ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord,
) error {
	at := make(map[int64]*eventstore.KeyRecord, len(keys))
	for i := range keys {
		at[keys[i].Position] = &keys[i]
	}
	documents := make([]any, len(events))
	for i := range events {
		p := place{count: 1, writer: s.writer, key: at[events[i].Position]}
		documents[i] = encode(&events[i], p)
		delete(at, events[i].Position)
	}
	if len(at) > 0 {
		return fmt.Errorf("%d keys belong to none of the %d events", len(at), len(events))
	}
	session, err := s.client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	_, err = session.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		return nil, s.importDocuments(ctx, events, documents)
	}, transactionSettings())
	if err == nil && len(events) > 0 {
		s.memory.reached(events[len(events)-1].Position)
	}
	return err
}

// importDocuments runs in a transaction.
func (s *EventStore) importDocuments(ctx context.Context, events []event.Envelope, documents []any) error {
	store, err := s.store(ctx)
	if err != nil {
		return err
	}
	if _, yes := store.importing(); !yes {
		return errNoImport
	}
	last, err := s.findOne(ctx, bson.D{}, options.FindOne().SetSort(descending(fieldPosition)).SetProjection(only(fieldPosition)))
	if err != nil || len(events) == 0 {
		return err
	}
	if events[0].Position != last.Position+1 {
		return fmt.Errorf("position %d does not follow on %d", events[0].Position, last.Position)
	}
	_, err = s.events.InsertMany(ctx, documents)
	if mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("an event is there twice: %s", oneLine(err))
	}
	return err
}

// EndImport implements eventstore.Filler.
func (s *EventStore) EndImport(ctx context.Context) (string, error) {
	history, err := s.beginAnew(ctx, true)
	if errors.Is(err, errNotAsWanted) {
		err = errNoImport
	}
	return history, err
}
