package web

import (
	"errors"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Number is a JSON number that keeps its text, so that no amount passes through
// floating point on its way in or out. It is empty where the member was missing
// or null.
//
// It reads a number (12.50) or a string ("12.50"), whose text is taken as it
// stands: nothing is promised about it, the caller checks length and grammar.
// It is written as a number; text that is no JSON number fails to encode.
type Number string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (n *Number) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case jsontext.KindNull:
		*n = ""
	case jsontext.KindNumber, jsontext.KindString:
		*n = Number(token.String())
	default:
		return InvalidRequest("the value must be a number")
	}
	return nil
}

// MarshalJSONTo implements [json.MarshalerTo].
func (n Number) MarshalJSONTo(enc *jsontext.Encoder) error {
	value := jsontext.Value(n)
	if value.Kind() != jsontext.KindNumber {
		return errors.New("web: the text of a Number is no JSON number")
	}
	return enc.WriteValue(value)
}

// Schema describes both readings in the API document.
func (Number) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "A decimal number; a string that holds one is taken too.",
		AnyOf:       []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString}},
	}
}

var (
	_ json.UnmarshalerFrom = (*Number)(nil)
	_ json.MarshalerTo     = Number("")
)
