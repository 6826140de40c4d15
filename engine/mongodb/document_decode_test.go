package mongodb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func envelopes() *rapid.Generator[event.Envelope] {
	return rapid.Custom(func(t *rapid.T) event.Envelope {
		text := rapid.StringMatching(`[^\x00]*`)
		return event.Envelope{
			ID: text.Draw(t, "id"), Stream: text.Draw(t, "stream"), Category: text.Draw(t, "category"),
			Version: rapid.Int64Min(0).Draw(t, "version"), Position: rapid.Int64Min(1).Draw(t, "position"),
			Type: event.Type{Name: text.Draw(t, "type"), Schema: rapid.IntRange(1, 1000).Draw(t, "schema")},
			Time: time.UnixMicro(rapid.Int64Range(0, 253402300799_999_999).Draw(t, "µs")).UTC(),
			Data: []byte(`{"n":` + rapid.StringMatching(`[1-9][0-9]{0,9}`).Draw(t, "n") + `}`),
			Metadata: event.Metadata{
				CorrelationID: text.Draw(t, "correlation"), CausationID: text.Draw(t, "causation"),
				Actor: event.Actor(text.Draw(t, "actor")), TraceParent: text.Draw(t, "trace"),
				Imported: rapid.Bool().Draw(t, "imported"),
			},
		}
	})
}

// TestDecode_RoundTrip: what is read is what was written, and stays so when the
// bytes that it was read from are used for something else.
func TestDecode_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := envelopes().Draw(t, "event")
		key := eventstore.KeyRecord{
			Key: event.Key{Client: "c", Value: "k"}, RequestHash: []byte{1}, Result: []byte{2},
			Stream: e.Stream, Version: e.Version, Position: e.Position,
		}
		document := encode(&e, place{index: 1, count: 2, writer: "w", key: &key})
		got, err := decode(document)
		require.NoError(t, err)
		for i := range document {
			document[i] = 0xff
		}
		require.Equal(t, stored{Envelope: e, record: key, writer: "w"}, got)
	})
}

// TestDecode_Malformed: what was cut off anywhere is an error.
func TestDecode_Malformed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := envelopes().Draw(t, "event")
		document := encode(&e, place{count: 1, writer: "w"})
		for n := range document {
			_, err := decode(document[:n])
			require.ErrorIs(t, err, errMalformed)
			short := append(bson.Raw(nil), document[:n]...)
			if n >= 4 { // and where the length tells nothing
				short[0], short[1], short[2], short[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
			}
			_, _ = decode(short) // must not panic: what ends at a field's end looks whole
		}
	})
}

func TestDecode_WrongType(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]any{
		fieldVersion: "1", fieldStream: int64(1), fieldPayload: "{}", fieldMetadata: bson.D{{Key: metaImported, Value: "yes"}},
	} {
		document, err := bson.Marshal(bson.D{{Key: fieldPosition, Value: int64(7)}, {Key: field, Value: value}})
		require.NoError(t, err)
		_, err = decode(document)
		require.ErrorContains(t, err, "document 7: field "+field+" is a ")
	}
	document, err := bson.Marshal(bson.D{{Key: fieldPosition, Value: int64(7)}, {Key: "later", Value: "?"}})
	require.NoError(t, err)
	got, err := decode(document)
	require.NoError(t, err, "a field of a newer program")
	require.Equal(t, int64(7), got.Position)
}
