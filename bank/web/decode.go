package web

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ignoresUnknown reads from the body type what becomes of members that it does
// not have: refused, unless the type says otherwise. Document and decoder follow
// the same tag, so that they cannot disagree:
//
//	type openBankAccount struct {
//		_ struct{} `additionalProperties:"true"`
//		…
//	}
//
// The outermost type speaks for all types within it.
func ignoresUnknown(body reflect.Type) bool {
	for body.Kind() == reflect.Pointer {
		body = body.Elem()
	}
	if body.Kind() != reflect.Struct {
		return false
	}
	mark, ok := body.FieldByName("_")
	return ok && mark.Tag.Get("additionalProperties") == "true"
}

// decode reads one JSON object, and nothing else, into the struct behind into.
//
// Members match by their exact name, and one in another case is an unknown
// member. Members repeated at any level, invalid UTF-8 and anything behind the
// object are refused, also where unknown members are ignored. The error is a
// *bodyError, which tells the place of the fault and never a value.
//
// On an error the struct may be filled in part and must not be used.
func decode(data []byte, into any, ignoreUnknown bool) error {
	if !startsObject(data) {
		return &bodyError{detail: "the body must be a JSON object"}
	}
	if err := json.Unmarshal(data, into, json.RejectUnknownMembers(!ignoreUnknown)); err != nil {
		return explain(err)
	}
	return nil
}

// startsObject keeps out null, which decodes into a struct without a trace, and
// the byte order mark.
func startsObject(data []byte) bool {
	for _, c := range data {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}

// bodyError is a fault of the body in words for the client.
type bodyError struct {
	field  string // names joined by dots; empty where the place has no plain name
	detail string
}

// Error has the form that [fieldError] takes apart again: huma hands on the
// text of an error only.
func (e *bodyError) Error() string {
	if e.field == "" {
		return e.detail
	}
	return e.field + fieldSeparator + e.detail
}

// fieldSeparator cannot occur in a field: see [fieldName].
const fieldSeparator = ": "

func explain(err error) *bodyError {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(syntax.Err, jsontext.ErrDuplicateName) {
			return &bodyError{field: fieldName(syntax.JSONPointer), detail: "the member stands more than once"}
		}
		return &bodyError{detail: fmt.Sprintf("the body is not valid JSON at byte %d", syntax.ByteOffset)}
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return &bodyError{detail: "the body is not valid JSON"}
	}
	field := fieldName(semantic.JSONPointer)
	if said, ok := errors.AsType[*Problem](semantic.Err); ok {
		return &bodyError{field: field, detail: said.Detail}
	}
	if errors.Is(semantic.Err, json.ErrUnknownName) {
		return &bodyError{field: field, detail: "the member is not known here"}
	}
	return &bodyError{field: field, detail: expectation(semantic.GoType)}
}

// expectation words what a Go type takes.
func expectation(t reflect.Type) string {
	if t == nil {
		return "the value is not acceptable"
	}
	switch t.Kind() {
	case reflect.String:
		return "the value must be a string"
	case reflect.Bool:
		return "the value must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "the value must be an integer in range"
	case reflect.Float32, reflect.Float64:
		return "the value must be a number in range"
	case reflect.Struct, reflect.Map:
		return "the value must be an object"
	case reflect.Slice, reflect.Array:
		return "the value must be an array"
	default:
		return "the value is not acceptable"
	}
}

// Names of members are the client's bytes. They are told back only where they
// look like names, so that no answer carries what somebody else's page or log
// could take for markup or for a value.
const (
	nameBytesMax = 64
	nameLevels   = 8
)

// fieldName turns a JSON pointer into names joined by dots, or into nothing
// where a name of it does not look like one.
func fieldName(pointer jsontext.Pointer) string {
	var names []string
	for name := range pointer.Tokens() {
		if !plainName(name) || len(names) == nameLevels {
			return ""
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// plainPath reports whether text is what fieldName makes.
func plainPath(text string) bool {
	for name := range strings.SplitSeq(text, ".") {
		if !plainName(name) {
			return false
		}
	}
	return true
}

func plainName(name string) bool {
	if name == "" || len(name) > nameBytesMax {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
