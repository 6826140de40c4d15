package memory_test

import (
	"context"
	"testing"

	"passbook/engine/memory"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
)

func TestEventStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, eventstoretest.Technology{
		Create: func(eventstoretest.TB) eventstoretest.Open { return open(memory.NewEventStore()) },
	})
}

// shared declares what is true of an EventStore on which several Stores stand.
type shared struct{ *memory.EventStore }

func (shared) Features() eventstore.Features { return eventstore.Features{SharedWriters: true} }

func TestEventStore_SharedWriters(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, eventstoretest.Technology{
		Create: func(eventstoretest.TB) eventstoretest.Open { return open(shared{memory.NewEventStore()}) },
	})
}

func open(engine eventstore.Engine) eventstoretest.Open {
	return func(context.Context) (eventstore.Engine, func() error, error) {
		return engine, func() error { return nil }, nil
	}
}
