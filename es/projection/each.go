package projection

import (
	"context"

	"passbook/es/event"
)

// Journal is the gate of a model that keeps none in its rows: which events were
// applied, kept by the engine, an entry for each event. A model whose rows carry
// version and event id, as those of one row for a stream can, is smaller and
// faster without one.
type Journal[Tx any] interface {
	// Heads is that of Model.
	Heads(ctx context.Context, tx Tx, streams []string) (map[string]Head, error)
	// EventIDs is that of Model.
	EventIDs(ctx context.Context, tx Tx, refs []Ref) (map[Ref]string, error)
	// Record enters events as applied. One that is there already, or another of
	// its version, is an error: nothing is applied twice.
	Record(ctx context.Context, tx Tx, events []event.Envelope) error
}

// Each returns a Model that is a function: apply is called for one event after
// another, each once, those of a stream in order, in the transaction that also
// enters them into the journal. For its errors see Model.Apply.
func Each[Tx any](journal Journal[Tx], apply func(ctx context.Context, tx Tx, e event.Envelope) error) Model[Tx] {
	return each[Tx]{Journal: journal, apply: apply}
}

type each[Tx any] struct {
	Journal[Tx]
	apply func(ctx context.Context, tx Tx, e event.Envelope) error
}

func (m each[Tx]) Apply(ctx context.Context, tx Tx, events []event.Envelope) error {
	for _, e := range events {
		if err := m.apply(ctx, tx, e); err != nil {
			return err
		}
	}
	return m.Record(ctx, tx, events)
}
