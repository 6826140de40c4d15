// Package aggregate keeps the consistency of one thing at a time: commands come
// in as pure decisions, are decided on the state that the stream's history
// gives, one after the other, and go out as commits to the event store.
//
//	aggregate.go   what an aggregate is, and what can be asked of it
//	repository.go  Execute: load, decide, append, and again when that was lost
//	entry.go       one aggregate in memory: what is durable, what is in flight
//	cache.go       which aggregates are in memory
//	keys.go        idempotency keys in flight
//
// One request goes through repository.go like this:
//
//	Execute             looks the key up
//	decideUntilSettled  again and again, until nothing under the answer was lost
//	decideOnTip         under the aggregate's lock: newest state, submit
//	judge               asks Request.Decide, makes envelopes; changes nothing
//	conclude, answer    what the caller gets, once it is durable
package aggregate

import (
	"errors"
	"fmt"

	"passbook/es/event"
)

// Definition says what one kind of aggregate is. S is its state: a value that
// Evolve replaces and never changes in place, so that a state may be kept while
// its successor is in doubt. The zero S is the state before the first event.
type Definition[S any] struct {
	// Category is the written name of the kind, such as "account".
	Category string
	// Codec knows the payloads of its events.
	Codec *event.Codec
	// Evolve returns the state after an event with that payload. It is pure,
	// and it cannot refuse: the event has happened.
	Evolve func(state S, payload any) S
	// SnapshotSchema is the version of S's own shape as JSON; to be raised when
	// S, or what Evolve makes of old events, changes. 0: no snapshots.
	SnapshotSchema int
}

// Request is one command for one aggregate.
type Request[S any] struct {
	Stream string
	// Decide returns the payloads of the events that the command leads to, or
	// the refusal. It is pure: it may be called several times, with different
	// states, before one of its answers counts. No events and no error means
	// that there is nothing to do.
	Decide func(state S) (payloads []any, err error)
	// Expected, if not nil, is the version that the aggregate must have.
	Expected *int64
	// Key makes the request happen once. RequestHash is compared with that of
	// the first request under the key.
	Key         event.Key
	RequestHash []byte
	// Result, if not nil, gives from the state behind the events what is kept
	// with them and returned for every request under the key.
	Result func(state S) []byte
	// Metadata goes into every event.
	Metadata event.Metadata
}

// Outcome tells where a request's last event stands, or, if it had none, which
// version it was found to have nothing to do at.
type Outcome struct {
	Stream            string
	Version, Position int64
	Result            []byte
	// Replayed: an earlier request with the same key had this outcome.
	Replayed bool
}

// Errors of Execute, beside a decision's own refusals and those of eventstore.
var (
	// ErrVersionMismatch: the aggregate is not at Request.Expected. The error
	// is a *VersionError.
	ErrVersionMismatch = errors.New("version mismatch")
	// ErrKeyReused: the key was used for another request.
	ErrKeyReused = errors.New("idempotency key used for another request")
	// ErrKeyInFlight: the fate of an earlier request with the key is open.
	ErrKeyInFlight = errors.New("idempotency key in flight")
)

// VersionError tells which version was expected and which was found.
type VersionError struct {
	Stream           string
	Expected, Actual int64
}

// Error names the stream and both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("stream %s: %s: expected %d, actual %d", e.Stream, ErrVersionMismatch, e.Expected, e.Actual)
}

// Is makes errors.Is(err, ErrVersionMismatch) true.
func (e *VersionError) Is(target error) bool { return target == ErrVersionMismatch }
