package bus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/bus"
	"passbook/es/event"
)

// TestEncoder: the messages of one encoder are those that each event gets alone, and
// stay so when others are made, and when one is given a header more.
func TestEncoder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Envelope {
			few := rapid.SampledFrom([]string{"", "a", "b"})
			return event.Envelope{
				ID: few.Draw(t, "id"), Stream: few.Draw(t, "stream"),
				Version: rapid.Int64Min(0).Draw(t, "version"), Position: rapid.Int64Min(1).Draw(t, "position"),
				Type: event.Type{Name: few.Draw(t, "type"), Schema: rapid.IntRange(1, 2).Draw(t, "schema")},
				Time: time.UnixMicro(rapid.Int64Range(0, 253402300799_999_999).Draw(t, "µs")).UTC(),
				Data: []byte(few.Draw(t, "data")),
				Metadata: event.Metadata{
					CorrelationID: few.Draw(t, "correlation"), CausationID: few.Draw(t, "causation"),
					TraceParent: few.Draw(t, "trace"), Imported: rapid.Bool().Draw(t, "imported"),
				},
			}
		}), 1, 300).Draw(t, "events")
		encoder := bus.NewEncoder("h")
		messages := make([]bus.Message, len(events))
		for i := range events {
			messages[i] = encoder.Encode(&events[i])
			_ = append(messages[max(0, i-1)].Headers, bus.Header{Key: "another"})
		}
		for i := range events {
			require.Equal(t, bus.Encode("h", events[i]), messages[i])
		}
	})
}

// TestEncode_Order: records are the same, byte by byte, whichever version of the
// program made them.
func TestEncode_Order(t *testing.T) {
	t.Parallel()
	var order []string
	for _, h := range bus.Encode("h", event.Envelope{
		Metadata: event.Metadata{CorrelationID: "c", CausationID: "c", TraceParent: "t", Imported: true},
	}).Headers {
		order = append(order, h.Key)
	}
	require.Equal(t, []string{
		"content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_version",
		"ce_position", "ce_correlationid", "ce_causationid", "traceparent", "ce_imported",
	}, order)
}
