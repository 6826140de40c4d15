package web

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type strictBody struct {
	Amount Number `json:"amount"`
	Holder string `json:"holder,omitempty"`
	Count  int64  `json:"count,omitempty"`
	Money  *struct {
		Currency string `json:"currency"`
	} `json:"money,omitempty"`
}

type openBody struct {
	_ struct{} `additionalProperties:"true"`
	strictBody
}

// secret stands in the hostile bodies wherever a value could leak from.
const secret = "hush"

// hostile bodies are refused under both policies.
var hostile = []struct{ name, body, says string }{
	{"empty", "", "must be a JSON object"},
	{"only space", " \n", "must be a JSON object"},
	{"null", "null", "must be a JSON object"},
	{"array", `[{"amount":1}]`, "must be a JSON object"},
	{"string", `"hush"`, "must be a JSON object"},
	{"byte order mark", "\xef\xbb\xbf" + `{"amount":1}`, "must be a JSON object"},
	{"UTF-16", "{\x00\"\x00", "not valid JSON"},
	{"repeated member", `{"amount":1,"amount":-7}`, "amount: the member stands more than once"},
	{"repeated member, escaped", `{"amount":1,"\u0061mount":-7}`, "amount: the member stands more than once"},
	{"repeated unknown member", `{"x":1,"x":2}`, "x: the member"},
	{"repeated deep inside", `{"money":{"currency":"a","currency":"hush"}}`, "money.currency: the member"},
	{"trailing object", `{"amount":1}{"amount":-7}`, "not valid JSON"},
	{"trailing text", `{"amount":1} hush`, "not valid JSON"},
	{"trailing comma", `{"amount":1,}`, "not valid JSON"},
	{"cut off", `{"amount":1`, "not valid JSON"},
	{"comment", `{"amount":1/*hush*/}`, "not valid JSON"},
	{"single quotes", `{'amount':1}`, "not valid JSON"},
	{"NaN", `{"amount":NaN}`, "not valid JSON"},
	{"plus sign", `{"amount":+1}`, "not valid JSON"},
	{"leading zero", `{"amount":01}`, "not valid JSON"},
	{"hexadecimal", `{"amount":0x1}`, "not valid JSON"},
	{"invalid UTF-8 in a value", `{"holder":"` + "\xff" + `"}`, "not valid JSON"},
	{"invalid UTF-8 in a name", `{"` + "\xc0\xaf" + `":1}`, "not valid JSON"},
	{"lone surrogate", `{"holder":"\ud800"}`, "not valid JSON"},
	{"control character", "{\"holder\":\"a\x01\"}", "not valid JSON"},
	{"deep nesting", `{"deep":` + strings.Repeat(`[`, 60000) + strings.Repeat(`]`, 60000) + `}`, "not valid JSON"},
	{"holder as a number", `{"holder":7}`, "holder: the value must be a string"},
	{"integer too large", `{"count":9223372036854775808}`, "count: the value must be an integer"},
	{"integer with a fraction", `{"count":1.5}`, "count: the value must be an integer"},
	{"integer as 1e400", `{"count":1e400}`, "count: the value must be an integer"},
	{"amount as an object", `{"amount":{"hush":1}}`, "amount: the value must be a number"},
	{"amount as an array", `{"amount":["hush"]}`, "amount: the value must be a number"},
	{"amount as true", `{"amount":true}`, "amount: the value must be a number"},
}

func TestDecode_RefusesHostileBodies(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			for _, ignoreUnknown := range []bool{false, true} {
				var into strictBody
				err := decode([]byte(c.body), &into, ignoreUnknown)
				require.Error(t, err)
				require.NotContains(t, err.Error(), secret)
				if !strings.Contains(err.Error(), c.says) {
					// The strict decoder stops at a member before its value.
					require.False(t, ignoreUnknown, "says: %v", err)
					require.ErrorContains(t, err, "the member is not known here")
				}
			}
		})
	}
}

func TestDecode_UnknownMembers(t *testing.T) {
	for _, body := range []string{
		`{"amount":"1","Amount":"-7"}`,
		`{"AMOUNT":"-7","amount":"1"}`,
		`{"amount":"1","amounT":-7,"id":"x","deep":{"amount":-7}}`,
		`{"amount":"1","ａmount":"-7"}`, // a full-width letter
		`{"amount":"1","amount ":"-7"}`,
	} {
		var strict, open strictBody
		require.ErrorContains(t, decode([]byte(body), &strict, false), "not known here", body)
		require.NoError(t, decode([]byte(body), &open, true), body)
		require.Equal(t, Number("1"), open.Amount, body)
	}
}

func TestDecode_NamesOnlyPlainMembers(t *testing.T) {
	var into strictBody
	for _, name := range []string{`<script>`, `a b`, `a.b: c`, strings.Repeat("n", 65), `ü`} {
		err := decode([]byte(`{"`+name+`":1}`), &into, false)
		require.EqualError(t, err, "the member is not known here", name)
	}
	require.EqualError(t, decode([]byte(`{"open-ing_1":1}`), &into, false), "open-ing_1: the member is not known here")
}

func TestIgnoresUnknown(t *testing.T) {
	require.True(t, ignoresUnknown(reflect.TypeFor[openBody]()))
	require.True(t, ignoresUnknown(reflect.TypeFor[*openBody]()))
	require.False(t, ignoresUnknown(reflect.TypeFor[strictBody]()))
	require.False(t, ignoresUnknown(reflect.TypeFor[[]openBody]()))
	require.False(t, ignoresUnknown(reflect.TypeFor[struct {
		_ struct{} `additionalProperties:"false"`
	}]()))
}

func TestNumber(t *testing.T) {
	for body, text := range map[string]Number{
		`{"amount":12.50}`:                    "12.50",
		`{"amount":"12.5"}`:                   "12.5",
		`{"amount":0.1000000000000000055511}`: "0.1000000000000000055511",
		`{"amount":1e400}`:                    "1e400",
		`{"amount":"NaN"}`:                    "NaN",
		`{"amount":null}`:                     "",
		`{}`:                                  "",
	} {
		var into strictBody
		require.NoError(t, decode([]byte(body), &into, false), body)
		require.Equal(t, text, into.Amount, body)
	}
}

// FuzzDecode holds the decoder against encoding/json, which accepts more: what
// the decoder accepts is valid JSON, and the amount is that of the one member of
// this exact name.
func FuzzDecode(f *testing.F) {
	for _, c := range hostile {
		if len(c.body) < 1000 {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`{"amount":"1","Amount":"-7","id":{"a":[1,2,{"b":null}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var strict, open strictBody
		strictErr, openErr := decode(body, &strict, false), decode(body, &open, true)
		if openErr != nil {
			require.Error(t, strictErr, "strict accepts what open refuses")
			return
		}
		require.True(t, json.Valid(body), "not JSON for encoding/json")
		if strictErr == nil {
			require.Equal(t, open, strict)
		}
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &members))
		raw, there := members["amount"]
		if !there || string(raw) == "null" {
			require.Empty(t, open.Amount)
			return
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		require.Equal(t, text, string(open.Amount))
	})
}
