package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// OpenEventStoreReadOnly opens an event store that is there, and makes nothing.
// It is beside whoever serves it, and for reading: what a call that writes would
// do is not said. A database without an event store, and one whose unique
// indexes are not all there, is ErrUnusable; see OpenEventStore for the rest. Its
// user needs the role read on the database.
func OpenEventStoreReadOnly(ctx context.Context, url string) (*EventStore, error) {
	return open(ctx, url, "read", (*EventStore).examine)
}

// examine refuses what is no event store.
func (s *EventStore) examine(ctx context.Context) error {
	if err := s.checkDeployment(ctx); err != nil {
		return err
	}
	if err := s.checkPositions(ctx); err != nil {
		return err
	}
	there, err := s.stores.CountDocuments(ctx, isStore())
	switch {
	case err != nil:
		return fmt.Errorf("read collection %s: %w", storeCollection, err)
	case there == 0:
		return fmt.Errorf("%w: there is none yet: passbook serve makes it", ErrUnusable)
	}
	missing, err := s.missingIndexes(ctx)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%w: collection %s lacks %d of its unique indexes: start passbook serve, which makes them",
			ErrUnusable, eventCollection, len(missing))
	}
	return err
}

// Ping asks whether there is a primary to write to.
func (s *EventStore) Ping(ctx context.Context) error {
	err := s.client.Ping(ctx, readpref.Primary())
	if err != nil && ctx.Err() == nil {
		return errors.New("MongoDB has no primary that answers: " + oneLine(err))
	}
	return err
}
