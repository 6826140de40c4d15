package verify

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
)

var deposited = event.Envelope{
	ID: "e1", Stream: "ann", Version: 3, Position: 17, Type: event.Type{Name: "test.deposited", Schema: 1},
	Time: time.Date(2026, 11, 22, 6, 23, 1, 949_123_000, time.UTC), Data: []byte(`{"amount":"7.00"}`),
}

func TestDifference_String(t *testing.T) {
	t.Parallel()
	d := of(InFeed, Altered, deposited, "payload is %q", "x").at(2, 88)
	require.Equal(t, `feed: altered: stream ann version 3 position 17 (partition 2, offset 88): payload is "x"`, d.String())
	require.Equal(t, "store: missing: position 5: two lines",
		Difference{Place: InStore, Kind: Missing, Version: event.NoVersion, Position: 5, Text: "two\nlines"}.String())
}

func TestReport_CountsAllAndKeepsSome(t *testing.T) {
	t.Parallel()
	r := newReport(2)
	for range 3 {
		r.differ(of(InStore, Missing, deposited, "once"))
	}
	require.Equal(t, int64(1), r.Found, "the same difference, met again")
	r.differ(of(InStore, Missing, deposited, "another"))
	r.differ(of(InStore, Missing, deposited, "a third"))
	require.Equal(t, int64(3), r.Found)
	require.Len(t, r.Differences, 2)
	require.False(t, r.Agree())
}

// A record is compared to the byte, its time to the millisecond that records
// keep.
func TestRecordFaults(t *testing.T) {
	t.Parallel()
	published := func(change func(m *bus.Message)) string {
		m := bus.Encode("h", deposited)
		m.Time = m.Time.Truncate(time.Millisecond)
		change(&m)
		return recordFaults("h", m, deposited)
	}
	require.Empty(t, published(func(*bus.Message) {}))
	require.Equal(t, `key is "bob", want "ann"`, published(func(m *bus.Message) { m.Key = "bob" }))
	require.Equal(t, `payload is "x", in the store "{\"amount\":\"7.00\"}"`, published(func(m *bus.Message) { m.Value = []byte("x") }))
	require.Contains(t, published(func(m *bus.Message) { m.Time = m.Time.Add(time.Millisecond) }), "time is")
	require.Equal(t, `header content-type is missing, want "application/json"`, published(func(m *bus.Message) { m.Headers = m.Headers[1:] }))
	require.Equal(t, `header traceparent is there with "x", the event has none`,
		published(func(m *bus.Message) { m.Headers = append(m.Headers, bus.Header{Key: "traceparent", Value: "x"}) }))
	require.Equal(t, "headers are repeated, or in another order",
		published(func(m *bus.Message) { m.Headers = append(m.Headers, m.Headers[0]) }))
}
