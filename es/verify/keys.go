package verify

import (
	"context"
	"fmt"
	"iter"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// keys goes along the store's idempotency keys beside its events: each must name
// an event that is there. That one was removed cannot be seen from anywhere.
type keys struct {
	*attempt
	next func() (eventstore.KeyRecord, error, bool)
	stop func()
	one  *eventstore.KeyRecord // read and not compared yet
	done bool
}

// openKeys begins with the first key. A store that cannot list its keys has none.
func (a *attempt) openKeys(ctx context.Context) *keys {
	k := &keys{attempt: a, stop: func() {}, done: true}
	if source, ok := a.Store.(eventstore.KeySource); ok {
		k.next, k.stop = iter.Pull2(source.Keys(ctx, a.head))
		k.done = false
	}
	return k
}

func (k *keys) peek() (*eventstore.KeyRecord, error) {
	if k.one == nil && !k.done {
		record, err, ok := k.next()
		if err != nil {
			return nil, fmt.Errorf("event store: read its idempotency keys: %w", err)
		}
		if k.done = !ok; ok {
			k.one = &record
		}
	}
	return k.one, nil
}

// pass compares the keys up to an event, which comes in the order of positions.
func (k *keys) pass(e event.Envelope) error {
	for {
		record, err := k.peek()
		switch {
		case err != nil:
			return err
		case record == nil || record.Position > e.Position:
			return nil
		case record.Position < e.Position:
			k.differ(record, "names no event of the store")
		case record.Stream != e.Stream || record.Version != e.Version:
			k.differ(record, fmt.Sprintf("names another event than lies at its position, which is version %d of stream %s", e.Version, e.Stream))
		}
		k.one = nil
	}
}

// end compares the keys behind the last event.
func (k *keys) end() error {
	for {
		record, err := k.peek()
		if err != nil || record == nil {
			return err
		}
		k.differ(record, "names no event of the store")
		k.one = nil
	}
}

func (k *keys) differ(r *eventstore.KeyRecord, what string) {
	k.report.differ(Difference{
		Place: InStore, Kind: Altered, Stream: r.Stream, Version: r.Version, Position: r.Position,
		Text: "an idempotency key of this version " + what,
	})
}
