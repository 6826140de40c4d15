package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// ascending and descending sort by a field.
func ascending(field string) bson.D  { return bson.D{{Key: field, Value: 1}} }
func descending(field string) bson.D { return bson.D{{Key: field, Value: -1}} }

// only is a projection on some fields.
func only(fields ...string) bson.D {
	projection := make(bson.D, 0, len(fields)+1)
	for _, field := range fields {
		projection = append(projection, bson.E{Key: field, Value: 1})
	}
	if fields[0] != fieldPosition {
		projection = append(projection, bson.E{Key: fieldPosition, Value: 0})
	}
	return projection
}

// Head implements eventstore.Engine. It also notes who wrote last: see yielding.
func (s *EventStore) Head(ctx context.Context) (int64, error) {
	last, err := s.findOne(ctx, bson.D{}, options.FindOne().
		SetSort(descending(fieldPosition)).SetProjection(only(fieldPosition, fieldWriter)))
	if err != nil {
		return 0, err
	}
	s.memory.reached(last.Position)
	if last.writer != s.writer {
		s.yield.met(last.writer)
	}
	return last.Position, nil
}

// findOne returns a document, or nothing and no error if there is none.
func (s *EventStore) findOne(
	ctx context.Context, filter bson.D, with *options.FindOneOptionsBuilder,
) (stored, error) {
	document, err := s.events.FindOne(ctx, filter, with).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, err
	}
	return decode(document)
}

// StreamVersion implements eventstore.Engine.
func (s *EventStore) StreamVersion(ctx context.Context, stream string) (int64, error) {
	version := event.NoVersion
	with := options.Find().SetSort(descending(fieldVersion)).SetProjection(only(fieldVersion)).
		SetLimit(1).SetHint(streamIndex)
	err := s.find(ctx, bson.D{{Key: fieldStream, Value: stream}}, with, func(d stored) bool {
		version = d.Version
		return true
	})
	if err != nil {
		return 0, err
	}
	s.memory.saw(stream, version)
	return version, nil
}

// batchMax is how many documents the server sends at once, unless they are
// large: it stops at 16 MB.
const batchMax = 2000

// find hands over the documents of a query until one is not wanted any more. It
// takes operationTimeout at most, for all of them together: without a deadline the
// driver sets a timer for each document.
func (s *EventStore) find(
	ctx context.Context, filter bson.D, with *options.FindOptionsBuilder, take func(stored) bool,
) (err error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	cursor, err := s.events.Find(ctx, filter, with)
	if err != nil {
		return err
	}
	return drain(ctx, cursor, func(d *stored) bool { return take(*d) })
}

// drain hands over what is good until the next one is.
func drain(ctx context.Context, cursor *mongo.Cursor, take func(*stored) bool) (err error) {
	defer func() {
		if closed := cursor.Close(ctx); err == nil {
			err = closed
		}
	}()
	var r reading
	for cursor.Next(ctx) {
		if err := r.read(cursor.Current); err != nil {
			return err
		}
		if !take(&r.stored) {
			return nil
		}
	}
	return cursor.Err()
}

// ReadStream implements eventstore.Engine.
func (s *EventStore) ReadStream(
	ctx context.Context, stream string, from int64, limit int,
) ([]event.Envelope, error) {
	filter := bson.D{
		{Key: fieldStream, Value: stream},
		{Key: fieldVersion, Value: bson.D{{Key: "$gte", Value: from}}},
	}
	page, err := s.page(ctx, filter, fieldVersion, streamIndex, limit, math.MaxInt)
	if n := len(page); n > 0 {
		s.memory.saw(stream, page[n-1].Version)
	}
	return page, err
}

// positionIndex is the index that every collection has.
const positionIndex = "_id_"

// ReadAll implements eventstore.Engine. A position that is missing is an error:
// nothing behind it is handed out.
func (s *EventStore) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	filter := bson.D{{Key: fieldPosition, Value: bson.D{{Key: "$gt", Value: after}}}}
	page, err := s.page(ctx, filter, fieldPosition, positionIndex, limit, eventstore.PageBytes)
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		return nil, nil
	}
	next := max(after, 0) + 1
	for i := range page {
		if page[i].Position != next {
			return nil, fmt.Errorf("%w: position %d is not there, %d is", eventstore.ErrMissing, next, page[i].Position)
		}
		next++
	}
	s.memory.reached(next - 1)
	return page, nil
}

// eventFields is the projection on what makes an event. To name what is wanted
// costs the server a third less for each document than to name what is not.
func eventFields() bson.D {
	return only(fieldPosition, fieldStream, fieldCategory, fieldVersion, fieldType, fieldSchema, fieldID,
		fieldMicros, fieldPayload, fieldMetadata)
}

// page reads the events of a query, as far as their payloads come to bytesMax.
func (s *EventStore) page(
	ctx context.Context, filter bson.D, order, index string, limit, bytesMax int,
) (page []event.Envelope, err error) {
	if limit <= 0 {
		return nil, nil
	}
	with := options.Find().SetSort(ascending(order)).SetHint(index).
		SetLimit(int64(limit)).SetBatchSize(int32(min(limit, batchMax))).
		SetProjection(eventFields())
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	cursor, err := s.events.Find(ctx, filter, with)
	if err != nil {
		return nil, err
	}
	page = make([]event.Envelope, 0, min(limit, cursor.RemainingBatchLength()))
	bytes := 0
	err = drain(ctx, cursor, func(d *stored) bool {
		page = append(page, d.Envelope)
		bytes += len(d.Data)
		return bytes < bytesMax
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// FindKey implements eventstore.Engine.
func (s *EventStore) FindKey(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
	if key.IsZero() {
		return eventstore.KeyRecord{}, eventstore.ErrKeyNotFound
	}
	found, err := s.findOne(ctx, bson.D{{Key: fieldClient, Value: key.Client}, {Key: fieldKey, Value: key.Value}},
		options.FindOne().SetProjection(recordFields()).SetHint(keyIndex))
	switch {
	case err != nil:
		return eventstore.KeyRecord{}, err
	case found.record.Key.IsZero():
		return eventstore.KeyRecord{}, eventstore.ErrKeyNotFound
	}
	return found.record, nil
}

// recordFields is the projection on what makes a KeyRecord.
func recordFields() bson.D {
	return only(fieldPosition, fieldStream, fieldVersion, fieldID, fieldClient, fieldKey, fieldHash, fieldResult)
}
