package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/event"
)

type deposited struct {
	Cents int    `json:"cents"`
	Note  string `json:"note,omitempty"`
}

type opened struct {
	Holder string `json:"holder"`
}

// Schema 1 of a deposit counted whole euros; 2 named them; 3 counts cents.
func eurosToNamed(data []byte) ([]byte, error) {
	var v1 struct{ Amount int }
	if err := json.Unmarshal(data, &v1); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]int{"euros": v1.Amount})
}

func namedToCents(data []byte) ([]byte, error) {
	var v2 struct{ Euros *int }
	if err := json.Unmarshal(data, &v2); err != nil {
		return nil, err
	}
	if v2.Euros == nil {
		return nil, errors.New("no euros")
	}
	return json.Marshal(deposited{Cents: *v2.Euros * 100})
}

func newCodec(t *testing.T) *event.Codec {
	t.Helper()
	codec, err := event.NewCodec(
		event.Define[opened]("bank.opened", 1),
		event.Define[deposited]("bank.deposited", 3),
		event.Upcast(event.Type{Name: "bank.paid", Schema: 1}, event.Type{Name: "bank.deposited", Schema: 2}, eurosToNamed),
		event.Upcast(event.Type{Name: "bank.deposited", Schema: 2}, event.Type{Name: "bank.deposited", Schema: 3}, namedToCents),
	)
	require.NoError(t, err)
	return codec
}

func TestCodec_RoundTrip(t *testing.T) {
	t.Parallel()
	codec := newCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		payload := deposited{Cents: rapid.Int().Draw(t, "cents"), Note: rapid.String().Draw(t, "note")}
		written, data, err := codec.Encode(payload)
		require.NoError(t, err)
		require.Equal(t, "bank.deposited.v3", written.String())
		back, err := codec.Decode(written, data)
		require.NoError(t, err)
		require.Equal(t, strings.ToValidUTF8(payload.Note, "\uFFFD"), back.(deposited).Note)
		require.Equal(t, payload.Cents, back.(deposited).Cents)
	})
}

func TestCodec_Decode(t *testing.T) {
	t.Parallel()
	codec := newCodec(t)
	for name, c := range map[string]struct {
		typ, data string
		want      any
		err       error
	}{
		"Newest":             {"bank.deposited.v3", `{"cents":7}`, deposited{Cents: 7}, nil},
		"OneStepUp":          {"bank.deposited.v2", `{"euros":7}`, deposited{Cents: 700}, nil},
		"TwoStepsAndRenamed": {"bank.paid.v1", `{"amount":7}`, deposited{Cents: 700}, nil},
		"UnknownName":        {"bank.robbed.v1", `{}`, nil, event.ErrUnknownType},
		"NewerSchema":        {"bank.deposited.v4", `{}`, nil, event.ErrUnknownType},
		"OlderWithoutLift":   {"bank.deposited.v1", `{}`, nil, event.ErrUnknownType},
		"Malformed":          {"bank.deposited.v3", `{"cents":"seven"}`, nil, event.ErrMalformed},
		"Truncated":          {"bank.deposited.v3", `{"cents":7`, nil, event.ErrMalformed},
		"LiftFails":          {"bank.deposited.v2", `{}`, nil, event.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typ, err := event.ParseType(c.typ)
			require.NoError(t, err)
			data := []byte(c.data)
			got, err := codec.Decode(typ, data)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.data, string(data), "what is stored stays as it is")
		})
	}
}

func TestCodec_Encode(t *testing.T) {
	t.Parallel()
	_, _, err := newCodec(t).Encode(struct{}{})
	require.ErrorIs(t, err, event.ErrUnknownType)
	_, _, err = newCodec(t).Encode(nil)
	require.ErrorIs(t, err, event.ErrUnknownType)
}

// The bytes are what people see in a database and in the feed.
func TestCodec_EncodeKeepsText(t *testing.T) {
	t.Parallel()
	_, data, err := newCodec(t).Encode(opened{Holder: "Tom & Ann <both> \u2028"})
	require.NoError(t, err)
	require.Equal(t, `{"holder":"Tom & Ann <both> \u2028"}`, string(data))
}

func TestNewCodec(t *testing.T) {
	t.Parallel()
	v := func(schema int) event.Type { return event.Type{Name: "bank.opened", Schema: schema} }
	same := func(data []byte) ([]byte, error) { return data, nil }
	for name, c := range map[string]struct {
		definitions []event.Definition
		fault       string
	}{
		"NameTwice":     {[]event.Definition{event.Define[opened]("bank.opened", 1), event.Define[deposited]("bank.opened", 1)}, "defined twice"},
		"GoTypeTwice":   {[]event.Definition{event.Define[opened]("bank.opened", 1), event.Define[opened]("bank.begun", 1)}, "already written as bank.opened.v1"},
		"NoName":        {[]event.Definition{event.Define[opened]("", 1)}, "want a dotted name"},
		"NoSchema":      {[]event.Definition{event.Define[opened]("bank.opened", 0)}, "schema from 1"},
		"LeadsNowhere":  {[]event.Definition{event.Upcast(v(1), v(2), same)}, "ends at bank.opened.v2"},
		"Circle":        {[]event.Definition{event.Upcast(v(1), v(2), same), event.Upcast(v(2), v(1), same)}, "not defined"},
		"TwoWays":       {[]event.Definition{event.Define[opened]("bank.opened", 2), event.Upcast(v(1), v(2), same), event.Upcast(v(1), v(2), same)}, "two ways"},
		"LiftedNewest":  {[]event.Definition{event.Define[opened]("bank.opened", 1), event.Define[deposited]("bank.opened", 2), event.Upcast(v(1), v(2), same)}, "both defined and lifted"},
		"AllFaultsTold": {[]event.Definition{event.Define[opened]("", 1), event.Upcast(v(1), v(2), same)}, "ends at bank.opened.v2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := event.NewCodec(c.definitions...)
			require.ErrorContains(t, err, c.fault)
		})
	}
}

func FuzzCodec_Decode(f *testing.F) {
	codec, err := event.NewCodec(
		event.Define[deposited]("bank.deposited", 3),
		event.Upcast(event.Type{Name: "bank.deposited", Schema: 2}, event.Type{Name: "bank.deposited", Schema: 3}, namedToCents),
	)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("bank.deposited.v2", []byte(`{"euros":1}`))
	f.Add("bank.deposited.v3", []byte(`{"cents":1}`))
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		written, err := event.ParseType(typ)
		if err != nil {
			return
		}
		payload, err := codec.Decode(written, data)
		switch {
		case err == nil:
			if _, _, err := codec.Encode(payload); err != nil {
				t.Fatalf("decoded %q but cannot encode it: %v", data, err)
			}
		case !errors.Is(err, event.ErrMalformed) && !errors.Is(err, event.ErrUnknownType):
			t.Fatalf("an error of neither kind: %v", err)
		}
	})
}
