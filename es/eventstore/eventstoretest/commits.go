package eventstoretest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// happened returns an event as a Store hands it to an engine.
func happened(stream string, version int64) event.Envelope {
	return event.Envelope{
		ID: event.NewID(), Stream: stream, Category: "case", Version: version,
		Type: event.Type{Name: "case.thing.happened", Schema: 1},
		Time: event.Truncate(time.Now()),
		Data: fmt.Appendf(nil, `{"stream":%q,"version":%d}`, stream, version),
	}
}

// commit returns a commit of n events.
func commit(stream string, expected int64, n int) eventstore.Commit {
	c := eventstore.Commit{Stream: stream, Expected: expected}
	for i := range n {
		c.Events = append(c.Events, happened(stream, expected+1+int64(i)))
	}
	return c
}

// opening returns the first commit of a stream, of n events.
func opening(stream string, n int) eventstore.Commit { return commit(stream, event.NoVersion, n) }

// keyed returns c under an idempotency key.
func keyed(c eventstore.Commit, client, value string) eventstore.Commit {
	c.Key = event.Key{Client: client, Value: value}
	c.RequestHash = []byte("hash of " + value)
	c.Result = fmt.Appendf(nil, `{"client":%q,  "value":%q}`, client, value)
	return c
}

// record returns what the key of c is to find once c's last event stands at
// position.
func record(c eventstore.Commit, position int64) eventstore.KeyRecord {
	return eventstore.KeyRecord{
		Key: c.Key, RequestHash: c.RequestHash, Result: c.Result,
		Stream: c.Stream, Version: c.Expected + int64(len(c.Events)), Position: position,
	}
}

// placed returns the envelopes of c as they are to be read.
func placed(c eventstore.Commit, first int64) []event.Envelope {
	events := make([]event.Envelope, len(c.Events))
	for i, e := range c.Events {
		e.Position = first + int64(i)
		events[i] = e
	}
	return events
}

// requireSame compares envelopes to the byte. Payloads are compared apart: a
// difference between two large ones would be printed whole otherwise.
func requireSame(t TB, want, got []event.Envelope) {
	t.Helper()
	require.Len(t, got, len(want), "number of events") // without printing them all
	for i := range want {
		w, g := want[i], got[i]
		require.True(t, bytes.Equal(w.Data, g.Data),
			"payload of position %d: want %d bytes %.200q, got %d bytes %.200q",
			w.Position, len(w.Data), w.Data, len(g.Data), g.Data)
		w.Data, g.Data = nil, nil
		require.Equal(t, w, g, "position %d", w.Position)
	}
}
