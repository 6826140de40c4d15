package mongodb

import (
	"bytes"
	"errors"
	"fmt"
	"time"

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
	b = bsoncore.AppendDocumentElement(b, fieldView, view(e.Data))
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

// stored is what is read of a document.
type stored struct {
	event.Envelope
	record eventstore.KeyRecord
	writer string
}

// decode reads a document, or what a projection has left of it. Fields that it
// does not know are left alone: a newer program may have written them.
func decode(document bson.Raw) (d stored, err error) {
	if err := walk(document, d.set); err != nil {
		return stored{}, fmt.Errorf("document %d: %w", d.Position, err)
	}
	d.record.Stream, d.record.Version, d.record.Position = d.Stream, d.Version, d.Position
	return d, nil
}

var errMalformed = errors.New("malformed document")

// walk hands over the fields of a document, one after the other, until one has
// not the right type. Nothing is copied: reading the whole store is made of this.
func walk(document []byte, set func(field []byte, value bsoncore.Value) bool) error {
	length, rest, ok := bsoncore.ReadLength(document)
	if !ok || int(length) != len(document) {
		return errMalformed
	}
	for len(rest) > 1 { // the last byte ends the document
		end := 1 + bytes.IndexByte(rest[1:], 0)
		if end == 0 {
			return errMalformed
		}
		value, after, whole := bsoncore.ReadValue(rest[end+1:], bsoncore.Type(rest[0]))
		if !whole {
			return errMalformed
		}
		name := rest[1:end]
		if !set(name, value) {
			return fmt.Errorf("field %s is a %s", name, value.Type)
		}
		rest = after
	}
	return nil
}

// set takes one field's value, and tells whether that is of the right type.
func (d *stored) set(field []byte, value bsoncore.Value) (ok bool) {
	switch string(field) {
	case fieldPosition:
		ok = setInt(&d.Position, value)
	case fieldStream:
		d.Stream, ok = value.StringValueOK()
	case fieldCategory:
		d.Category, ok = value.StringValueOK()
	case fieldVersion:
		ok = setInt(&d.Version, value)
	case fieldType:
		d.Type.Name, ok = value.StringValueOK()
	case fieldSchema:
		var schema int64
		ok = setInt(&schema, value)
		d.Type.Schema = int(schema)
	case fieldID:
		d.ID, ok = value.StringValueOK()
	case fieldMicros:
		var micros int64
		ok = setInt(&micros, value)
		d.Time = time.UnixMicro(micros).UTC()
	case fieldPayload:
		ok = setBytes(&d.Data, value)
	case fieldMetadata:
		ok = d.setMetadata(value)
	case fieldWriter:
		d.writer, ok = value.StringValueOK()
	case fieldClient:
		d.record.Key.Client, ok = value.StringValueOK()
	case fieldKey:
		d.record.Key.Value, ok = value.StringValueOK()
	case fieldHash:
		ok = setBytes(&d.record.RequestHash, value)
	case fieldResult:
		ok = setBytes(&d.record.Result, value)
	default:
		return true
	}
	return ok
}

func setInt(to *int64, value bsoncore.Value) (ok bool) {
	*to, ok = value.Int64OK()
	return ok
}

// setBytes copies: the document is a part of a larger answer, which would be
// kept in memory as a whole.
func setBytes(to *[]byte, value bsoncore.Value) bool {
	_, data, ok := value.BinaryOK()
	*to = append(make([]byte, 0, len(data)), data...)
	return ok
}

func (d *stored) setMetadata(value bsoncore.Value) bool {
	document, ok := value.DocumentOK()
	return ok && walk(document, d.setMember) == nil
}

// setMember takes the value of one member of the metadata.
func (d *stored) setMember(member []byte, value bsoncore.Value) (ok bool) {
	m := &d.Metadata
	switch string(member) {
	case metaCorrelation:
		m.CorrelationID, ok = value.StringValueOK()
	case metaCausation:
		m.CausationID, ok = value.StringValueOK()
	case metaActor:
		var actor string
		actor, ok = value.StringValueOK()
		m.Actor = event.Actor(actor)
	case metaTrace:
		m.TraceParent, ok = value.StringValueOK()
	case metaImported:
		m.Imported, ok = value.BooleanOK()
	default:
		return true
	}
	return ok
}
