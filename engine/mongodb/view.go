package mongodb

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

const (
	// viewMax is the largest payload that is shown: it takes its room in the
	// document a second time.
	viewMax = 1 << 20
	// depthMax is how deep a payload that is shown may nest; the server's own
	// limit is 100 for tools and 200 for itself.
	depthMax = 50
)

// Members of the view of a payload that is not an object.
const (
	viewValue = "value" // JSON, but not an object
	viewText  = "text"  // no JSON, or nested too deep
	viewBytes = "bytes" // neither: only its length
)

// appendView appends the field that shows a payload as a document that a person
// can read and query in a database tool. It is never read back: numbers may be of
// another type, and members' names are written so that they can be.
func appendView(b, payload []byte) []byte {
	if len(payload) <= viewMax {
		if shown, ok := appendJSON(b, payload); ok {
			return shown
		}
		if utf8.Valid(payload) {
			start, b := bsoncore.AppendDocumentElementStart(b, fieldView)
			return endDocument(bsoncore.AppendStringElement(b, viewText, string(payload)), start)
		}
	}
	start, b := bsoncore.AppendDocumentElementStart(b, fieldView)
	return endDocument(bsoncore.AppendInt64Element(b, viewBytes, int64(len(payload))), start)
}

// appendJSON is appendView of a payload that can be shown as the JSON that it is.
func appendJSON(b, payload []byte) (shown []byte, ok bool) {
	v := viewer{decoder: jsontext.NewDecoder(bytes.NewBuffer(payload),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if v.decoder.PeekKind() == jsontext.KindBeginObject {
		shown, err := v.value(b, fieldView)
		return shown, err == nil
	}
	start, b := bsoncore.AppendDocumentElementStart(b, fieldView)
	shown, err := v.value(b, viewValue)
	if err != nil {
		return nil, false
	}
	return endDocument(shown, start), true
}

// viewer turns JSON into BSON as it comes.
type viewer struct {
	decoder *jsontext.Decoder
	depth   int
}

var errTooDeep = errors.New("nested too deep")

// object appends the document whose opening brace comes next.
func (v *viewer) object(b []byte) ([]byte, error) {
	if _, err := v.decoder.ReadToken(); err != nil {
		return nil, err
	}
	if v.depth++; v.depth > depthMax {
		return nil, errTooDeep
	}
	start, b := bsoncore.AppendDocumentStart(b)
	for v.decoder.PeekKind() != jsontext.KindEndObject {
		name, err := v.decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		if b, err = v.value(b, fieldName(name.String())); err != nil {
			return nil, err
		}
	}
	v.depth--
	_, err := v.decoder.ReadToken()
	return endDocument(b, start), err
}

// array appends the array whose opening bracket comes next.
func (v *viewer) array(b []byte) ([]byte, error) {
	if _, err := v.decoder.ReadToken(); err != nil {
		return nil, err
	}
	if v.depth++; v.depth > depthMax {
		return nil, errTooDeep
	}
	start, b := bsoncore.AppendArrayStart(b)
	for i := 0; v.decoder.PeekKind() != jsontext.KindEndArray; i++ {
		var err error
		if b, err = v.value(b, strconv.Itoa(i)); err != nil {
			return nil, err
		}
	}
	v.depth--
	_, err := v.decoder.ReadToken()
	return endDocument(b, start), err
}

// value appends the value that comes next, under a name.
func (v *viewer) value(b []byte, name string) ([]byte, error) {
	kind := v.decoder.PeekKind()
	if kind == jsontext.KindBeginObject {
		return v.object(bsoncore.AppendHeader(b, bsoncore.TypeEmbeddedDocument, name))
	}
	if kind == jsontext.KindBeginArray {
		return v.array(bsoncore.AppendHeader(b, bsoncore.TypeArray, name))
	}
	token, err := v.decoder.ReadToken()
	switch {
	case err != nil:
		return nil, err
	case kind == jsontext.KindString:
		return bsoncore.AppendStringElement(b, name, token.String()), nil
	case kind == jsontext.KindNumber:
		return appendNumber(b, name, token.String()), nil
	case kind == jsontext.KindNull:
		return bsoncore.AppendNullElement(b, name), nil
	}
	return bsoncore.AppendBooleanElement(b, name, token.Bool()), nil
}

// appendNumber never rounds: what neither type holds exactly is shown as text.
func appendNumber(b []byte, name, number string) []byte {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return bsoncore.AppendInt64Element(b, name, n)
	}
	const digitsMax = 34
	if d, err := bson.ParseDecimal128(number); err == nil && len(number) <= digitsMax {
		high, low := d.GetBytes()
		return bsoncore.AppendDecimal128Element(b, name, high, low)
	}
	return bsoncore.AppendStringElement(b, name, number)
}

// fieldName: a field's name ends at its first zero byte.
func fieldName(name string) string { return strings.ReplaceAll(name, "\x00", `\u0000`) }
