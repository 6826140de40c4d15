package bench

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"passbook/bench/load"
	"passbook/es/event"
)

// bareMongoDB inserts groups of documents into a collection with an event
// store's indexes, as durably.
type bareMongoDB struct {
	events   *mongo.Collection
	template []bsoncore.Element // of the document that the engine wrote
	group    int
	position int64
	traffic  *traffic
}

func newBareMongoDB(ctx context.Context, setting string, group int) (bare, error) {
	if err := writeTemplate(ctx, setting); err != nil {
		return nil, err
	}
	db, err := openMongoDB(setting)
	if err != nil {
		return nil, err
	}
	journaled := true
	m := &bareMongoDB{
		events: db.Collection("eventStore", options.Collection().SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled})),
		group:  group, position: 1, traffic: newTraffic(accountsPerCaller*group, movesPerAccount),
	}
	document, err := m.events.FindOne(ctx, bson.D{}).Raw()
	if err != nil {
		m.close()
		return nil, fmt.Errorf("read the first document: %w", err)
	}
	if m.template, err = bsoncore.Document(document).Elements(); err != nil {
		m.close()
		return nil, fmt.Errorf("read the first document: %w", err)
	}
	return m, nil
}

func (m *bareMongoDB) close() {
	ctx, cancel := context.WithTimeout(context.Background(), cleanup)
	defer cancel()
	_ = m.events.Database().Client().Disconnect(ctx) // the database is dropped next
}

func (*bareMongoDB) is(group int) string {
	return fmt.Sprintf("insertMany of %d documents, majority and journal, same indexes", group)
}

func (m *bareMongoDB) run(ctx context.Context, d time.Duration) (load.Outcome, error) {
	return bareGroups(ctx, m.group, d, func(ctx context.Context) error {
		documents := make([]any, m.group)
		for i := range documents {
			m.position++
			documents[i] = m.document(m.traffic.next())
		}
		_, err := m.events.InsertMany(ctx, documents, options.InsertMany().SetOrdered(true))
		if err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		return nil
	})
}

// document is the template with what is each event's own.
func (m *bareMongoDB) document(e event.Envelope) bson.Raw {
	start, b := bsoncore.AppendDocumentStart(make([]byte, 0, 1024))
	for _, element := range m.template {
		switch name := element.Key(); name {
		case "_id":
			b = bsoncore.AppendInt64Element(b, name, m.position)
		case "aggregateIdentifier":
			b = bsoncore.AppendStringElement(b, name, e.Stream)
		case "version":
			b = bsoncore.AppendInt64Element(b, name, e.Version)
		case "eventId":
			b = bsoncore.AppendStringElement(b, name, e.ID)
		default:
			b = append(b, element...)
		}
	}
	b, _ = bsoncore.AppendDocumentEnd(b, start) // it was begun above
	return b
}
