package mongodb

import (
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Fields of a document. timeStamp and eventData are views for people, the former
// in whole milliseconds; timeMicros and payload are what was written.
const (
	fieldPosition = "_id"
	fieldDate     = "timeStamp"
	fieldStream   = "aggregateIdentifier"
	fieldCategory = "aggregateType"
	fieldVersion  = "version"
	fieldType     = "eventType"
	fieldView     = "eventData"
	fieldSchema   = "eventSchema"
	fieldID       = "eventId"
	fieldMicros   = "timeMicros"
	fieldPayload  = "payload"
	fieldMetadata = "metadata"
	fieldIndex    = "commitIndex" // of the event in its commit, from 0
	fieldCount    = "commitCount" // events of the commit
	fieldWriter   = "writerId"    // the engine that wrote it
	fieldClient   = "idempotencyClient"
	fieldKey      = "idempotencyKey"
	fieldHash     = "requestHash"
	fieldResult   = "result"
)

const (
	metaCorrelation = "correlationId"
	metaCausation   = "causationId"
	metaActor       = "actor"
	metaTrace       = "traceParent"
	metaImported    = "imported"
)

// place is where an event stands in its commit, and who writes it.
type place struct {
	index, count int
	writer       string
	// key is what is kept with the commit; its last event has it, because what a
	// key finds are version and position of that one.
	key *eventstore.KeyRecord
}

// encode returns an event as a document.
func encode(e *event.Envelope, p place) bson.Raw {
	start, b := bsoncore.AppendDocumentStart(make([]byte, 0, 768+2*len(e.Data)))
	b = bsoncore.AppendInt64Element(b, fieldPosition, e.Position)
	b = bsoncore.AppendDateTimeElement(b, fieldDate, e.Time.UnixMilli())
	b = bsoncore.AppendStringElement(b, fieldStream, e.Stream)
	b = bsoncore.AppendStringElement(b, fieldCategory, e.Category)
	b = bsoncore.AppendInt64Element(b, fieldVersion, e.Version)
	b = bsoncore.AppendStringElement(b, fieldType, e.Type.Name)
	b = appendView(b, e.Data)
	b = bsoncore.AppendInt64Element(b, fieldSchema, int64(e.Type.Schema))
	b = bsoncore.AppendStringElement(b, fieldID, e.ID)
	b = bsoncore.AppendInt64Element(b, fieldMicros, e.Time.UnixMicro())
	b = bsoncore.AppendBinaryElement(b, fieldPayload, bson.TypeBinaryGeneric, e.Data)
	b = appendMetadata(b, &e.Metadata)
	b = bsoncore.AppendInt64Element(b, fieldIndex, int64(p.index))
	b = bsoncore.AppendInt64Element(b, fieldCount, int64(p.count))
	b = bsoncore.AppendStringElement(b, fieldWriter, p.writer)
	if p.key != nil {
		b = bsoncore.AppendStringElement(b, fieldClient, p.key.Key.Client)
		b = bsoncore.AppendStringElement(b, fieldKey, p.key.Key.Value)
		b = bsoncore.AppendBinaryElement(b, fieldHash, bson.TypeBinaryGeneric, p.key.RequestHash)
		b = bsoncore.AppendBinaryElement(b, fieldResult, bson.TypeBinaryGeneric, p.key.Result)
	}
	return endDocument(b, start)
}

// endDocument closes what AppendDocumentStart opened, which cannot fail.
func endDocument(b []byte, start int32) []byte {
	b, _ = bsoncore.AppendDocumentEnd(b, start)
	return b
}

func appendMetadata(b []byte, m *event.Metadata) []byte {
	if *m == (event.Metadata{}) {
		return b
	}
	start, b := bsoncore.AppendDocumentElementStart(b, fieldMetadata)
	for _, member := range [...]struct{ name, value string }{
		{metaCorrelation, m.CorrelationID},
		{metaCausation, m.CausationID},
		{metaActor, string(m.Actor)},
		{metaTrace, m.TraceParent},
	} {
		if member.value != "" {
			b = bsoncore.AppendStringElement(b, member.name, member.value)
		}
	}
	if m.Imported {
		b = bsoncore.AppendBooleanElement(b, metaImported, true)
	}
	return endDocument(b, start)
}
