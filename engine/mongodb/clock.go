package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/es/eventstore"
)

var _ eventstore.Clock = (*EventStore)(nil)

// Now implements eventstore.Clock: it is the primary's time.
func (s *EventStore) Now(ctx context.Context) (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	if err := s.operations.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return time.Time{}, fmt.Errorf("ask for the time: %w", err)
	}
	return hello.LocalTime, nil
}
