// Package event holds what every other room passes on: the envelope in which
// an event is stored and travels, its written type name with a schema version,
// the codec between payload structs and bytes, and the upcasters that lift
// payloads of older schemas when they are read.
//
// Domain payloads and a codec come in; envelopes go out. Nothing here does I/O.
package event

import (
	"time"
)

// NoVersion is the version of a stream that has no event yet. The first event
// of a stream has version 0.
const NoVersion int64 = -1

// Envelope is one event with everything that is known about it. Its Data are
// the bytes as they were first written: stores, relays and exports hand them
// on unchanged, and only readers decode them.
//
// An Envelope is a value; its Data must not be changed by anybody who did not
// create it.
type Envelope struct {
	// ID is unique in the store, and stays the same wherever the event goes.
	ID string
	// Stream names the aggregate instance, Category the kind of aggregate.
	Stream, Category string
	// Version counts the events of the stream: 0, 1, 2 … without a gap.
	Version int64
	// Position counts the events of the store: 1, 2, 3 … without a gap, in
	// commit order. It is 0 until the event is committed.
	Position int64
	Type     Type
	// Time is never before the time of the stream's previous event. It is in
	// UTC, in whole microseconds, and orders nothing.
	Time     time.Time
	Data     []byte
	Metadata Metadata
}

// Metadata is what travels beside the payload and no decision depends on.
// Empty members are not stored.
type Metadata struct {
	// CorrelationID is shared by everything that one request set off.
	CorrelationID string `json:"correlationId,omitempty"`
	// CausationID is the id of the command or event that led to this event.
	CausationID string `json:"causationId,omitempty"`
	// Actor is who gave the command; empty without authentication.
	Actor Actor `json:"actor,omitempty"`
	// TraceParent is a W3C trace context.
	TraceParent string `json:"traceParent,omitempty"`
	// Imported marks history taken over from another system. It happened long
	// ago, so nobody is notified of it.
	Imported bool `json:"imported,omitempty"`
}

// Truncate returns t as event times are kept: UTC, whole microseconds. It is
// what the coarsest of the databases keeps exactly.
func Truncate(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
