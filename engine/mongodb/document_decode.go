package mongodb

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// stored is what is read of a document.
type stored struct {
	event.Envelope
	record eventstore.KeyRecord
	writer string
}

// decode reads a document, or what a projection has left of it. Fields that it
// does not know are left alone: a newer program may have written them.
func decode(document bson.Raw) (stored, error) {
	var r reading
	err := r.read(document)
	return r.stored, err
}

// reading reads documents, one after the other. Its zero value is ready.
type reading struct {
	stored
	texts []text
}

// text is a string of a document, and where it is to stand.
type text struct {
	to *string
	is []byte
}

// read takes the place of what was read before.
func (r *reading) read(document bson.Raw) error {
	r.stored, r.texts = stored{}, r.texts[:0]
	if err := walk(document, r.set); err != nil {
		err = fmt.Errorf("document %d: %w", r.Position, err)
		r.stored = stored{}
		return err
	}
	r.copyTexts()
	r.record.Stream, r.record.Version, r.record.Position = r.Stream, r.Version, r.Position
	return nil
}

// copyTexts copies: the document is a part of a larger answer, which would be kept
// in memory as a whole. The strings of an event are short and many, and share one
// piece of memory.
func (r *reading) copyTexts() {
	length := 0
	for _, t := range r.texts {
		length += len(t.is)
	}
	var all strings.Builder
	all.Grow(length)
	for _, t := range r.texts {
		all.Write(t.is)
	}
	rest := all.String()
	for _, t := range r.texts {
		*t.to, rest = rest[:len(t.is)], rest[len(t.is):]
	}
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
func (r *reading) set(field []byte, value bsoncore.Value) (ok bool) {
	switch string(field) {
	case fieldPosition:
		ok = setInt(&r.Position, value)
	case fieldStream:
		ok = r.setText(&r.Stream, value)
	case fieldCategory:
		ok = r.setText(&r.Category, value)
	case fieldVersion:
		ok = setInt(&r.Version, value)
	case fieldType:
		ok = r.setText(&r.Type.Name, value)
	case fieldSchema:
		var schema int64
		ok = setInt(&schema, value)
		r.Type.Schema = int(schema)
	case fieldID:
		ok = r.setText(&r.ID, value)
	case fieldMicros:
		var micros int64
		ok = setInt(&micros, value)
		r.Time = time.UnixMicro(micros).UTC()
	case fieldPayload:
		ok = setBytes(&r.Data, value)
	case fieldMetadata:
		ok = r.setMetadata(value)
	case fieldWriter:
		ok = r.setText(&r.writer, value)
	case fieldClient:
		ok = r.setText(&r.record.Key.Client, value)
	case fieldKey:
		ok = r.setText(&r.record.Key.Value, value)
	case fieldHash:
		ok = setBytes(&r.record.RequestHash, value)
	case fieldResult:
		ok = setBytes(&r.record.Result, value)
	default:
		return true
	}
	return ok
}

func setInt(to *int64, value bsoncore.Value) (ok bool) {
	*to, ok = value.Int64OK()
	return ok
}

// setText notes where a string is, and where it goes.
func (r *reading) setText(to *string, value bsoncore.Value) bool {
	length, rest, ok := bsoncore.ReadLength(value.Data)
	if !ok || value.Type != bsoncore.TypeString || length < 1 || int(length) > len(rest) {
		return false
	}
	r.texts = append(r.texts, text{to, rest[:length-1]}) // the last byte ends it
	return true
}

// setBytes copies, as copyTexts does.
func setBytes(to *[]byte, value bsoncore.Value) bool {
	_, data, ok := value.BinaryOK()
	*to = append(make([]byte, 0, len(data)), data...)
	return ok
}

func (r *reading) setMetadata(value bsoncore.Value) bool {
	document, ok := value.DocumentOK()
	return ok && walk(document, r.setMember) == nil
}

// setMember takes the value of one member of the metadata.
func (r *reading) setMember(member []byte, value bsoncore.Value) (ok bool) {
	m := &r.Metadata
	switch string(member) {
	case metaCorrelation:
		ok = r.setText(&m.CorrelationID, value)
	case metaCausation:
		ok = r.setText(&m.CausationID, value)
	case metaActor:
		ok = r.setText((*string)(&m.Actor), value)
	case metaTrace:
		ok = r.setText(&m.TraceParent, value)
	case metaImported:
		m.Imported, ok = value.BooleanOK()
	default:
		return true
	}
	return ok
}
