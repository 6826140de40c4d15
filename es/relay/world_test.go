package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/relay"
)

// world is a store, a broker and what relays remember.
type world struct {
	store       *history
	broker      *broker
	checkpoints *memory.Checkpoints
}

const partitions = 3

func newWorld() *world {
	return &world{store: newHistory("h1"), broker: newBroker(partitions), checkpoints: memory.NewCheckpoints()}
}

// settings are small, so that few events make several pages; but no lease runs
// out of its own while a test runs.
func settings(holder string) relay.Config {
	return relay.Config{
		Holder: holder, PageEvents: 5, LeaseDuration: time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
}

func (w *world) relay(holder string) *relay.Relay {
	return relay.New(w.store, w.broker, w.checkpoints, settings(holder))
}

// run publishes everything, with a relay that knows what the last one saved.
func (w *world) run(ctx context.Context) error { return w.relay("r").RunToEnd(ctx) }

// expire frees the lease, as time does.
func (w *world) expire() {
	ctx := context.Background()
	for _, holder := range []string{"r", "a", "b"} {
		if lease, err := w.checkpoints.Acquire(ctx, "relay", holder, time.Hour); err == nil {
			_ = w.checkpoints.Release(ctx, lease)
		}
	}
}

// forget loses the checkpoint, and with it the lease.
func (w *world) forget() {
	ctx := context.Background()
	w.expire()
	if lease, err := w.checkpoints.Acquire(ctx, "relay", "r", time.Hour); err == nil {
		_ = w.checkpoints.Save(ctx, lease, nil)
		_ = w.checkpoints.Release(ctx, lease)
	}
}

func (w *world) saved(t *testing.T) []checkpoint.Progress {
	t.Helper()
	saved, err := w.checkpoints.Load(t.Context(), "relay")
	require.NoError(t, err)
	return saved
}

// complete checks what holds whatever happened: each partition has all its
// events in order, from the first on, perhaps with others in between; and every
// record is equal to the event that it stands for.
func (w *world) complete() error {
	var faults []error
	events := w.store.all()
	for p := range w.broker.topic.Partitions {
		expected := events
		for _, r := range w.broker.records(p) {
			e, err := w.equal(r, events)
			if errors.Is(err, bus.ErrForeign) {
				continue
			}
			faults = append(faults, err)
			expected = skipTo(expected, p)
			if len(expected) > 0 && expected[0].Position == e.Position {
				expected = expected[1:]
			}
		}
		if rest := skipTo(expected, p); len(rest) > 0 {
			faults = append(faults, fmt.Errorf("partition %d: position %d never comes behind all before it",
				p, rest[0].Position))
		}
	}
	return errors.Join(faults...)
}

// skipTo drops events that are not of a partition from the front.
func skipTo(events []event.Envelope, partition int32) []event.Envelope {
	for len(events) > 0 && bus.Partition(events[0].Stream, partitions) != partition {
		events = events[1:]
	}
	return events
}

// equal compares a record with the store's event.
func (w *world) equal(r bus.Record, events []event.Envelope) (event.Envelope, error) {
	history, e, err := bus.Decode(r.Message)
	switch {
	case err != nil:
		return e, err
	case history != w.store.id || e.Position > int64(len(events)):
		return e, fmt.Errorf("partition %d: offset %d holds an event that the store does not have", r.Partition, r.Offset)
	case bus.Partition(e.Stream, partitions) != r.Partition:
		return e, fmt.Errorf("partition %d: offset %d is of stream %s", r.Partition, r.Offset, e.Stream)
	case !reflect.DeepEqual(e, events[e.Position-1]):
		return e, fmt.Errorf("partition %d: offset %d is not equal to position %d", r.Partition, r.Offset, e.Position)
	}
	return e, nil
}

// ordered checks what holds as long as the broker lost nothing: first records
// stand in the order of their events.
func (w *world) ordered() error {
	for p := range w.broker.topic.Partitions {
		expected := w.store.all()
		highest := int64(0)
		for _, r := range w.broker.records(p) {
			_, e, err := bus.Decode(r.Message)
			if err != nil || e.Position <= highest {
				continue // a repeat
			}
			if expected = skipTo(expected, p); len(expected) == 0 || expected[0].Position != e.Position {
				return fmt.Errorf("partition %d: offset %d holds position %d too early", p, r.Offset, e.Position)
			}
			highest, expected = e.Position, expected[1:]
		}
	}
	return nil
}

// exact checks that every event is there in order and once.
func (w *world) exact() error {
	if n := w.broker.count(); n != len(w.store.all()) {
		return fmt.Errorf("%d records for %d events", n, len(w.store.all()))
	}
	return errors.Join(w.complete(), w.ordered())
}

// settled checks that a relay which starts now has nothing to do.
func (w *world) settled(ctx context.Context) error {
	before := w.broker.count()
	if err := w.run(ctx); err != nil {
		return err
	}
	if n := w.broker.count(); n != before {
		return fmt.Errorf("a relay that starts on a sound topic publishes %d records again", n-before)
	}
	return nil
}
