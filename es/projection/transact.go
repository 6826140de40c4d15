package projection

import (
	"context"
	"errors"

	"passbook/es/event"
)

// attempt is one try of a transaction, and what it has done so far.
type attempt[Tx any] struct {
	p *Projection[Tx]
	// failed holds, by stream, the event that earlier attempts could not apply.
	failed map[string]*Unapplicable
	// single: events are applied one at a time, to find the one that fails.
	single bool
	// tried are the ids of the events that were given to the model.
	tried map[string]bool
	// drained are the streams whose queues were drained, as far as one
	// transaction may.
	drained map[string]bool
	outcome
}

// outcome is what a transaction did, to be told once it is committed.
type outcome struct {
	counts Counts
	// visible are the versions that streams have come to.
	visible map[string]int64
	// parked are the streams that were parked, or stay parked for another
	// reason than before.
	parked []Parked
	// more: a queue was too long for one transaction.
	more bool
}

// unplacedError is a decoding error that does not say which event it is of.
type unplacedError struct{ error }

func (u unplacedError) Unwrap() error { return u.error }

// transact runs fn in a transaction. When events prove to be unapplicable, the
// transaction is rolled back and run again with that knowledge, which parks
// their streams: each round knows of one more event at least.
func (p *Projection[Tx]) transact(ctx context.Context, fn func(tx Tx, a *attempt[Tx]) error) (outcome, error) {
	failed, single := make(map[string]*Unapplicable), false
	for {
		a := &attempt[Tx]{
			p: p, failed: failed, single: single, tried: make(map[string]bool), drained: make(map[string]bool),
			outcome: outcome{visible: make(map[string]int64)},
		}
		err := p.store.Update(ctx, func(tx Tx) error { return fn(tx, a) })
		var unplaced unplacedError
		switch {
		case err == nil:
			p.tell(a.outcome)
			return a.outcome, nil
		case a.learn(err):
		case errors.As(err, &unplaced):
			single = true
		default:
			return outcome{}, err
		}
	}
}

// learn remembers what an error says of events that cannot be applied, and
// whether that is anything new. What the model says of events that it was not
// given is no reason to park anything.
func (a *attempt[Tx]) learn(err error) bool {
	isNew := false
	for _, u := range unapplicables(err) {
		known, ok := a.failed[u.Stream]
		if a.tried[u.EventID] && (!ok || u.Version < known.Version) {
			a.failed[u.Stream] = u
			isNew = true
		}
	}
	return isNew
}

// fails tells whether e is known to be unapplicable.
func (a *attempt[Tx]) fails(e event.Envelope) bool {
	u, ok := a.failed[e.Stream]
	return ok && u.EventID == e.ID && u.Version == e.Version
}

// apply hands events to the model, which the gate was told of.
func (a *attempt[Tx]) apply(ctx context.Context, tx Tx, g *gate, events []event.Envelope) error {
	for _, e := range events {
		a.tried[e.ID] = true
		a.visible[e.Stream] = g.reach(e.Stream)
	}
	a.counts.Applied += int64(len(events))
	if len(events) == 0 {
		return nil
	}
	if m, ok := a.p.model.(RowModel[Tx]); ok && !a.single {
		return place(m.ApplyTo(ctx, tx, g.rows, events), events)
	}
	size := len(events)
	if a.single {
		size = 1
	}
	for ; len(events) > 0; events = events[size:] {
		if err := place(a.p.model.Apply(ctx, tx, events[:size]), events[:size]); err != nil {
			return err
		}
	}
	return nil
}

// place says of a bare decoding error which event it is of, as far as known.
func place(err error, events []event.Envelope) error {
	switch {
	case err == nil, len(unapplicables(err)) > 0:
		return err
	case !errors.Is(err, event.ErrUnknownType) && !errors.Is(err, event.ErrMalformed):
		return err
	case len(events) == 1:
		return NewUnapplicable(events[0], err)
	}
	return unplacedError{err}
}

// unapplicables returns every *Unapplicable in the tree of err, the outermost
// of each branch.
func unapplicables(err error) []*Unapplicable {
	switch e := err.(type) { //nolint:errorlint // walks the tree itself, to find all and not the first
	case *Unapplicable:
		return []*Unapplicable{e}
	case interface{ Unwrap() error }:
		return unapplicables(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*Unapplicable
		for _, branch := range e.Unwrap() {
			all = append(all, unapplicables(branch)...)
		}
		return all
	}
	return nil
}
