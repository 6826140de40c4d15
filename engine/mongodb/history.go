package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/event"
	"passbook/es/eventstore"
)

var _ eventstore.Renewer = (*EventStore)(nil)

// storeDocument says whose history the events are.
type storeDocument struct {
	ID      string `bson:"_id"`
	History string `bson:"history"`
	// Pending says why the events are not to be served; nothing if they are.
	Pending string `bson:"pending"`
}

// onlyStore is the _id of the one document.
const onlyStore = "store"

// pendingImport is what Pending begins with while an import is under way; the
// source stands behind it.
const pendingImport = "import "

func isStore() bson.D { return bson.D{{Key: "_id", Value: onlyStore}} }

// beginHistory gives the store a history id unless it has one. Of processes that
// start together one gives it.
func (s *EventStore) beginHistory(ctx context.Context) error {
	anew := bson.D{{Key: "$setOnInsert", Value: bson.D{
		{Key: "history", Value: event.NewID()}, {Key: "pending", Value: ""},
	}}}
	_, err := s.stores.UpdateOne(ctx, isStore(), anew, options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // another was faster
	}
	return err
}

func (s *EventStore) store(ctx context.Context) (store storeDocument, err error) {
	err = s.stores.FindOne(ctx, isStore()).Decode(&store)
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = fmt.Errorf("collection %s has lost its document %q: was the database dropped? restart the program", storeCollection, onlyStore)
	}
	return store, err
}

// History implements eventstore.Engine.
func (s *EventStore) History(ctx context.Context) (string, error) {
	store, err := s.store(ctx)
	switch {
	case err != nil:
		return "", err
	case store.Pending != "":
		return "", errImporting
	}
	return store.History, nil
}

var (
	errImporting = fmt.Errorf("%w: an import into it has not ended: run the same import again", eventstore.ErrNoHistory)
	// errNoImport: a caller's mistake.
	errNoImport = errors.New("no import is under way")
)

// Renew implements eventstore.Renewer.
func (s *EventStore) Renew(ctx context.Context) (string, error) {
	history, err := s.beginAnew(ctx, false)
	if errors.Is(err, errNotAsWanted) {
		err = errImporting
	}
	return history, err
}

var errNotAsWanted = errors.New("store is in another state")

// beginAnew gives the store a new history if it is, or is not, being filled.
func (s *EventStore) beginAnew(ctx context.Context, importing bool) (string, error) {
	pending := bson.D{{Key: "$eq", Value: ""}}
	if importing {
		pending = bson.D{{Key: "$gte", Value: pendingImport}}
	}
	history := event.NewID()
	filter := append(isStore(), bson.E{Key: "pending", Value: pending})
	result, err := s.stores.UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: bson.D{
		{Key: "history", Value: history}, {Key: "pending", Value: ""},
	}}})
	switch {
	case err != nil:
		return "", err
	case result.MatchedCount == 0:
		return "", errNotAsWanted
	}
	return history, nil
}

// importing tells from where the store is being filled.
func (d storeDocument) importing() (source string, yes bool) {
	return strings.CutPrefix(d.Pending, pendingImport)
}
