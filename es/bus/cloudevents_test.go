package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/bus"
	"passbook/es/event"
)

func TestEncode_Headers(t *testing.T) {
	e := event.Envelope{
		ID:       "0198f1a2-0000-7000-8000-000000000001",
		Stream:   "acc-1",
		Category: "account",
		Version:  7,
		Position: 42,
		Type:     event.Type{Name: "passbook.account.deposited", Schema: 1},
		Time:     time.Date(2026, 3, 4, 5, 6, 7, 89000, time.UTC),
		Data:     []byte(`{"amount":{"amount":"1.00","currency":"EUR"}}`),
		Metadata: event.Metadata{Actor: "teller"},
	}
	required := []bus.Header{
		{Key: "content-type", Value: "application/json"},
		{Key: "ce_specversion", Value: "1.0"},
		{Key: "ce_id", Value: e.ID},
		{Key: "ce_source", Value: "/passbook/h1"},
		{Key: "ce_type", Value: "passbook.account.deposited.v1"},
		{Key: "ce_subject", Value: "acc-1"},
		{Key: "ce_time", Value: "2026-03-04T05:06:07.000089Z"},
		{Key: "ce_version", Value: "7"},
		{Key: "ce_position", Value: "42"},
	}

	t.Run("Required", func(t *testing.T) {
		m := bus.Encode("h1", e)
		require.Equal(t, "acc-1", m.Key)
		require.Equal(t, e.Data, m.Value)
		require.Equal(t, e.Time, m.Time)
		require.ElementsMatch(t, required, m.Headers, "neither category nor actor is published")
	})

	t.Run("Optional", func(t *testing.T) {
		e.Metadata = event.Metadata{
			CorrelationID: "corr", CausationID: "cause", Imported: true,
			TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}
		require.ElementsMatch(t, append(required,
			bus.Header{Key: "ce_correlationid", Value: "corr"},
			bus.Header{Key: "ce_causationid", Value: "cause"},
			bus.Header{Key: "ce_imported", Value: "true"},
			bus.Header{Key: "traceparent", Value: e.Metadata.TraceParent},
		), bus.Encode("h1", e).Headers)
	})
}

func TestDecode_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history, e := rapid.StringN(1, 40, -1).Draw(t, "history"), envelopes().Draw(t, "event")
		gotHistory, got, err := bus.Decode(bus.Encode(history, e))
		require.NoError(t, err)
		require.Equal(t, history, gotHistory)
		require.Equal(t, published(e), got)
	})
}

// published is what of an envelope travels.
func published(e event.Envelope) event.Envelope {
	e.Category, e.Metadata.Actor = "", ""
	return e
}

func envelopes() *rapid.Generator[event.Envelope] {
	return rapid.Custom(func(t *rapid.T) event.Envelope {
		text := rapid.String()
		some := rapid.StringN(1, 30, -1)
		return event.Envelope{
			ID:       some.Draw(t, "id"),
			Stream:   some.Draw(t, "stream"),
			Category: text.Draw(t, "category"),
			Version:  rapid.Int64Min(0).Draw(t, "version"),
			Position: rapid.Int64Min(1).Draw(t, "position"),
			Type: event.Type{
				Name:   rapid.StringMatching(`[a-z]+(\.[a-z]+){0,3}`).Draw(t, "type"),
				Schema: rapid.IntRange(1, 1000).Draw(t, "schema"),
			},
			Time: time.UnixMicro(rapid.Int64Range(0, 253402300799_999_999).Draw(t, "µs")).UTC(),
			Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
			Metadata: event.Metadata{
				CorrelationID: text.Draw(t, "correlation"),
				CausationID:   text.Draw(t, "causation"),
				Actor:         event.Actor(text.Draw(t, "actor")),
				TraceParent:   text.Draw(t, "trace"),
				Imported:      rapid.Bool().Draw(t, "imported"),
			},
		}
	})
}

// valid returns a message that Decode takes; the cases below spoil it.
func valid() bus.Message {
	return bus.Encode("h1", event.Envelope{
		ID: "id", Stream: "acc-1", Version: 0, Position: 1,
		Type: event.Type{Name: "passbook.account.opened", Schema: 1},
		Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Data: []byte(`{}`),
	})
}

func with(m bus.Message, key, value string) bus.Message {
	headers := []bus.Header{{Key: key, Value: value}}
	for _, h := range m.Headers {
		if h.Key != key {
			headers = append(headers, h)
		}
	}
	m.Headers = headers
	return m
}

func without(m bus.Message, key string) bus.Message {
	m = with(m, key, "")
	m.Headers = m.Headers[1:]
	return m
}

func TestDecode_Foreign(t *testing.T) {
	otherKey := valid()
	otherKey.Key = "acc-2"
	cases := map[string]bus.Message{
		"no headers at all":         {Key: "acc-1", Value: []byte(`{}`)},
		"key of another stream":     otherKey,
		"other specification":       with(valid(), "ce_specversion", "0.3"),
		"source of somebody else":   with(valid(), "ce_source", "/billing/h1"),
		"source without a history":  with(valid(), "ce_source", "/passbook/"),
		"empty id":                  with(valid(), "ce_id", ""),
		"other subject":             with(valid(), "ce_subject", "acc-2"),
		"type without schema":       with(valid(), "ce_type", "passbook.account.opened"),
		"type with schema zero":     with(valid(), "ce_type", "passbook.account.opened.v0"),
		"time that is none":         with(valid(), "ce_time", "yesterday"),
		"time beyond the calendar":  with(valid(), "ce_time", "9999-12-31T23:59:59-01:00"),
		"negative version":          with(valid(), "ce_version", "-1"),
		"version that is no number": with(valid(), "ce_version", "one"),
		"version too large":         with(valid(), "ce_version", "9223372036854775808"),
		"position zero":             with(valid(), "ce_position", "0"),
	}
	for _, h := range []string{
		"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_version", "ce_position",
	} {
		cases["without "+h] = without(valid(), h)
	}
	_, _, err := bus.Decode(valid())
	require.NoError(t, err, "what the cases spoil is sound")
	for name, m := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := bus.Decode(m)
			require.ErrorIs(t, err, bus.ErrForeign)
			require.NotContains(t, err.Error(), "\n", "errors for people are one line")
		})
	}
}

func TestDecode_Tolerant(t *testing.T) {
	t.Run("UnknownHeaders", func(t *testing.T) {
		_, e, err := bus.Decode(with(valid(), "x-added-later", "?"))
		require.NoError(t, err)
		require.Equal(t, "acc-1", e.Stream)
	})
	t.Run("FirstOfRepeatedHeaders", func(t *testing.T) {
		m := valid()
		m.Headers = append(m.Headers, bus.Header{Key: "ce_version", Value: "99"})
		_, e, err := bus.Decode(m)
		require.NoError(t, err)
		require.Zero(t, e.Version)
	})
	t.Run("TimeOfAnotherZone", func(t *testing.T) {
		_, e, err := bus.Decode(with(valid(), "ce_time", "2026-01-01T01:00:00.0000019+01:00"))
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC), e.Time)
	})
}

func FuzzDecode(f *testing.F) {
	header := func(m bus.Message, key string) string {
		value, _ := m.Header(key)
		return value
	}
	add := func(m bus.Message) {
		f.Add(m.Key, header(m, "ce_specversion"), header(m, "ce_id"), header(m, "ce_source"), header(m, "ce_type"),
			header(m, "ce_subject"), header(m, "ce_time"), header(m, "ce_version"), header(m, "ce_position"), m.Value)
	}
	add(valid())
	add(with(valid(), "ce_time", "9999-12-31T23:59:59-01:00"))
	add(with(valid(), "ce_version", "+5"))
	add(bus.Message{})
	f.Fuzz(func(t *testing.T, key, spec, id, source, kind, subject, at, version, position string, value []byte) {
		history, e, err := bus.Decode(bus.Message{Key: key, Value: value, Headers: []bus.Header{
			{Key: "ce_specversion", Value: spec}, {Key: "ce_id", Value: id}, {Key: "ce_source", Value: source},
			{Key: "ce_type", Value: kind}, {Key: "ce_subject", Value: subject}, {Key: "ce_time", Value: at},
			{Key: "ce_version", Value: version}, {Key: "ce_position", Value: position},
		}})
		if err != nil {
			require.ErrorIs(t, err, bus.ErrForeign)
			return
		}
		require.NotEmpty(t, e.ID)
		require.Equal(t, key, e.Stream)
		require.Equal(t, history, strings.TrimPrefix(source, "/passbook/"))
		require.GreaterOrEqual(t, e.Version, int64(0))
		require.Positive(t, e.Position)
		again, same, err := bus.Decode(bus.Encode(history, e))
		require.NoError(t, err, "what was taken for an event can be published again")
		require.Equal(t, history, again)
		require.Equal(t, e, same)
	})
}
