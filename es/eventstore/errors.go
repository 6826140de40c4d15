package eventstore

import (
	"errors"
	"fmt"
)

// Errors of Store, to be told apart with errors.Is.
var (
	// ErrConflict: the stream's version is not the expected one. The error is
	// a *ConflictError. Nothing was written.
	ErrConflict = errors.New("version conflict")
	// ErrPredecessorLost: the commit was decided on events that were in flight
	// and did not become durable. Nothing was written; decide again.
	ErrPredecessorLost = errors.New("decided on events that were not committed")
	// ErrKeyTaken: another commit holds the idempotency key. The error is a
	// *KeyTakenError. Nothing was written.
	ErrKeyTaken = errors.New("idempotency key taken")
	// ErrUnavailable: the engine could not be reached. Nothing was written.
	ErrUnavailable = errors.New("event store unavailable")
	// ErrOutcomeUnknown: nobody can say yet whether the commit is, or will be,
	// in the store. Its idempotency key will tell.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrOverloaded: too many commits wait already. Nothing was written.
	ErrOverloaded = errors.New("event store overloaded")
	// ErrInvalid: the commit itself is wrong. Nothing was written.
	ErrInvalid = errors.New("invalid commit")
	// ErrMissing: a position or a version that must be there is not.
	ErrMissing = errors.New("event missing")
)

// ConflictError says which version was expected and which was found.
type ConflictError struct {
	Stream           string
	Expected, Actual int64
}

// Error names the stream and both versions.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("stream %s: %s: expected %d, actual %d", e.Stream, ErrConflict, e.Expected, e.Actual)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// KeyTakenError carries what the key's holder committed.
type KeyTakenError struct{ Prior KeyRecord }

// Error names the stream under which the key was used.
func (e *KeyTakenError) Error() string {
	return fmt.Sprintf("%s: by stream %s at version %d", ErrKeyTaken, e.Prior.Stream, e.Prior.Version)
}

// Is makes errors.Is(err, ErrKeyTaken) true.
func (e *KeyTakenError) Is(target error) bool { return target == ErrKeyTaken }
