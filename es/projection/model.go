package projection

import (
	"context"
	"fmt"

	"passbook/es/event"
)

// Model is a read model, as an application implements it: rows that events are
// folded into. Tx is the engine's transaction.
//
// Its methods are called in transactions of a Store and touch nothing but what
// the transaction can take back. They may be called again with the same events
// after a transaction that was rolled back, and for different streams at the
// same moment. They must see what was committed before the transaction's first
// lock: where the isolation level would hide it, they read with a lock.
type Model[Tx any] interface {
	// Heads returns, for each of the streams that the model has applied events
	// of, the last one. It is the gate: what is at or below it was applied or
	// discarded, the version behind it is the only one that can be, but for
	// discarded events between.
	Heads(ctx context.Context, tx Tx, streams []string) (map[string]Head, error)

	// EventIDs returns the ids of applied events below the heads. A version
	// that is missing from the answer is taken for another event, never for a
	// duplicate.
	EventIDs(ctx context.Context, tx Tx, refs []Ref) (map[Ref]string, error)

	// Apply folds a batch of events into the rows and moves the heads of their
	// streams to the last of each. The events of a stream are in order and above
	// its head, so that several of them may be folded into one write; streams
	// may alternate.
	//
	// They are consecutive and start right behind the head but for holes: a
	// version that is left out, the first ones included, is always that of a
	// discarded event, which is never going to come. Behind a hole the rows say
	// less than the events were decided on.
	//
	// Each row write carries the version that it expects in its statement. One
	// that finds another version is reported as an error of its own kind, and
	// the batch is rolled back and tried again.
	//
	// An event that this program can never apply, whatever the state of the
	// engines, is reported as *Unapplicable; several of them, of different
	// streams, joined with errors.Join. Then the batch is rolled back and run
	// again with those streams parked. Any other error means that trying again
	// may help. An event.ErrUnknownType or event.ErrMalformed that names no
	// event is taken for an Unapplicable too, but costs a search for the event.
	Apply(ctx context.Context, tx Tx, events []event.Envelope) error
}

// RowModel is a Model that reads the rows which it is going to change together with
// their heads, so that no batch has to look for them twice.
type RowModel[Tx any] interface {
	Model[Tx]
	// Rows is Heads, with whatever ApplyTo wants to have back of the streams.
	Rows(ctx context.Context, tx Tx, streams []string) (heads map[string]Head, rows any, err error)
	// ApplyTo is Apply to rows that were read in the same transaction, of all
	// streams that the events are of. Nothing was applied to those since.
	ApplyTo(ctx context.Context, tx Tx, rows any, events []event.Envelope) error
}

// Head is the last event of a stream that a model has applied.
type Head struct {
	Version int64
	EventID string
}

// Ref is a place in a stream.
type Ref struct {
	Stream  string
	Version int64
}

// Unapplicable is the error of an event that cannot be applied by this program,
// as far as the event and the program alone decide it. Its stream is parked
// from that event on.
type Unapplicable struct {
	EventID string
	Stream  string
	Version int64
	Err     error
}

// NewUnapplicable says that e cannot be applied because of err.
func NewUnapplicable(e event.Envelope, err error) *Unapplicable {
	return &Unapplicable{EventID: e.ID, Stream: e.Stream, Version: e.Version, Err: err}
}

func (u *Unapplicable) Error() string {
	return fmt.Sprintf("event %s (stream %s, version %d) cannot be applied: %v", u.EventID, u.Stream, u.Version, u.Err)
}

func (u *Unapplicable) Unwrap() error { return u.Err }

// Decode returns the payload of an event, lifted to its newest schema, or an
// *Unapplicable: what a codec cannot decode today it cannot decode tomorrow,
// until there is a newer program.
func Decode(codec *event.Codec, e event.Envelope) (any, error) {
	payload, err := codec.Decode(e.Type, e.Data)
	if err != nil {
		return nil, NewUnapplicable(e, err)
	}
	return payload, nil
}
