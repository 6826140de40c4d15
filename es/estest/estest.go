// Package estest tests an aggregate by what it promises and nothing else: given
// events and a decision go in, and the events that then follow, or the refusal,
// are compared. No store, no clock.
package estest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"passbook/es/aggregate"
	"passbook/es/event"
)

// History is an aggregate with a past.
type History[S any] struct {
	t          testing.TB
	definition aggregate.Definition[S]
	state      S
}

// Given is an aggregate to which events with these payloads have happened.
func Given[S any](t testing.TB, definition aggregate.Definition[S], payloads ...any) *History[S] {
	t.Helper()
	h := &History[S]{t: t, definition: definition}
	for _, payload := range payloads {
		h.state = h.happen(h.state, payload)
	}
	return h
}

// happen evolves by a payload as it will be read back from a store, and holds
// that against the payload as it is.
func (h *History[S]) happen(state S, payload any) S {
	h.t.Helper()
	written, data, err := h.definition.Codec.Encode(payload)
	if err != nil {
		h.t.Fatalf("encode %+v: %v", payload, err)
	}
	read, err := h.definition.Codec.Decode(written, data)
	if err != nil {
		h.t.Fatalf("decode %s %s: %v", written, data, err)
	}
	stored, direct := h.definition.Evolve(state, read), h.definition.Evolve(state, payload)
	if !reflect.DeepEqual(stored, direct) {
		h.t.Fatalf("%T makes %+v, but once it was stored and read it makes %+v", payload, direct, stored)
	}
	return stored
}

// Decision is what an aggregate decided.
type Decision[S any] struct {
	history  *History[S]
	payloads []any
	err      error
}

// When asks for a decision, twice, because a decision that is not the same
// twice is not pure.
func (h *History[S]) When(decide func(state S) ([]any, error)) *Decision[S] {
	h.t.Helper()
	payloads, err := decide(h.state)
	again, errAgain := decide(h.state)
	if !reflect.DeepEqual(payloads, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		h.t.Fatalf("the decision is not pure: first %+v, %v, then %+v, %v", payloads, err, again, errAgain)
	}
	if err != nil && len(payloads) > 0 {
		h.t.Fatalf("a refusal (%v) with events: %+v", err, payloads)
	}
	return &Decision[S]{history: h, payloads: payloads, err: err}
}

// Then wants exactly the events with these payloads, and returns the aggregate
// to which they have happened.
func (d *Decision[S]) Then(payloads ...any) *History[S] {
	t := d.history.t
	t.Helper()
	if d.err != nil {
		t.Fatalf("refused: %v\nwant events: %+v", d.err, payloads)
	}
	if len(d.payloads) != len(payloads) || len(payloads) > 0 && !reflect.DeepEqual(d.payloads, payloads) {
		t.Fatalf("events: %+v\nwant:   %+v", d.payloads, payloads)
	}
	next := *d.history
	for _, payload := range d.payloads {
		next.state = next.happen(next.state, payload)
	}
	return &next
}

// ThenRefused wants a refusal that errors.Is finds to be target.
func (d *Decision[S]) ThenRefused(target error) {
	t := d.history.t
	t.Helper()
	if !errors.Is(d.err, target) {
		t.Fatalf("error: %v\nwant:  %v\nevents: %+v", d.err, target, d.payloads)
	}
}

// State returns the state that the events have made.
func (h *History[S]) State() S { return h.state }

// Envelopes wraps payloads into the events of one stream, as a store would
// hold them, for tests of what reads events. Positions count from first.
func Envelopes(t testing.TB, codec *event.Codec, stream string, first int64, payloads ...any) []event.Envelope {
	t.Helper()
	envelopes := make([]event.Envelope, len(payloads))
	for i, payload := range payloads {
		written, data, err := codec.Encode(payload)
		if err != nil {
			t.Fatalf("encode %+v: %v", payload, err)
		}
		envelopes[i] = event.Envelope{
			ID: event.NewID(), Stream: stream, Version: int64(i), Position: first + int64(i), Type: written,
			Time: time.Unix(int64(i), 0).UTC(), Data: data,
		}
	}
	return envelopes
}
