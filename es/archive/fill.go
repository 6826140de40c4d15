package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Origin is a history that a store is filled with.
type Origin struct {
	// Name tells it from every other one. A filling that was interrupted goes on
	// with an origin of the same name, so it has to change when the entries do.
	Name string
	// Head is the position of the last entry.
	Head int64
	// Entries yields positions 1 to Head without a gap, and ends behind the first
	// error. Nobody checks them but who made them.
	Entries iter.Seq2[Entry, error]
}

// Entry is one event, with the idempotency key of the commit whose last event it
// is, if there is one.
type Entry struct {
	Event event.Envelope
	Key   eventstore.KeyRecord
}

// Filled tells of a filling that ended.
type Filled struct {
	// Resumed is the position up to which an earlier run had come.
	Resumed int64
	// NewHistory is the store's history id from now on.
	NewHistory string
}

// Vacant tells whether a store can be filled, by itself or by going on with what
// was begun: it spares the look at a large origin that has no place to go. A
// store with events is refused with ErrNotEmpty.
func Vacant(ctx context.Context, target Target) error {
	_, err := target.History(ctx)
	if errors.Is(err, eventstore.ErrNoHistory) {
		return nil // BeginImport knows why
	}
	if err != nil {
		return fmt.Errorf("read history id: %w", err)
	}
	head, err := target.Head(ctx)
	if err == nil && head > 0 {
		err = fmt.Errorf("%w: it holds %d events", eventstore.ErrNotEmpty, head)
	}
	return err
}

// Fill writes an origin into an empty store in large transactions, each event
// marked as imported; when all are there, and config.BeforeEnd has had its turn,
// the store gets a new history and can be served.
//
// A filling that was interrupted leaves a store that is not served. Fill with the
// same origin goes on where it stopped; another one is refused with
// ErrOtherImport, and a store with events with ErrNotEmpty.
func Fill(ctx context.Context, target Target, origin Origin, config ImportConfig) (Filled, error) {
	done, err := target.BeginImport(ctx, origin.Name)
	if err != nil {
		return Filled{}, err
	}
	if config.BatchEvents <= 0 {
		config.BatchEvents = batchEvents
	}
	f := &filling{target: target, config: config, done: done, total: origin.Head}
	if err := f.run(ctx, origin.Entries); err != nil {
		return Filled{}, err
	}
	if f.done != origin.Head {
		return Filled{}, fmt.Errorf("%w: there are events up to position %d, and not to %d", errShort, f.done, origin.Head)
	}
	if config.BeforeEnd != nil {
		if err := config.BeforeEnd(); err != nil {
			return Filled{}, err
		}
	}
	history, err := target.EndImport(ctx)
	if err != nil {
		return Filled{}, fmt.Errorf("end the import: %w", err)
	}
	return Filled{Resumed: done, NewHistory: history}, nil
}

// errShort: a caller's mistake, or what lies in the store is not of this origin.
var errShort = errors.New("the origin and what is in the store do not fit")

const (
	batchEvents = 5000
	batchBytes  = 8 << 20
)

// filling is what is on its way into a store.
type filling struct {
	target Target
	config ImportConfig
	total  int64
	done   int64 // what is in the store
	events []event.Envelope
	keys   []eventstore.KeyRecord
	bytes  int
}

func (f *filling) run(ctx context.Context, entries iter.Seq2[Entry, error]) error {
	for e, err := range entries {
		switch {
		case err != nil:
			return err
		case e.Event.Position <= f.done:
			continue
		}
		f.add(&e)
		if len(f.events) >= f.config.BatchEvents || f.bytes >= batchBytes {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
	return f.flush(ctx)
}

func (f *filling) add(e *Entry) {
	e.Event.Metadata.Imported = true
	f.events = append(f.events, e.Event)
	f.bytes += len(e.Event.Data) + len(e.Key.Result)
	if !e.Key.Key.IsZero() {
		f.keys = append(f.keys, e.Key)
	}
}

func (f *filling) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(f.events) > 0 {
		if err := f.target.ImportEvents(ctx, f.events, f.keys); err != nil {
			return fmt.Errorf("write events from position %d: %w", f.events[0].Position, err)
		}
		f.done = f.events[len(f.events)-1].Position
	}
	f.events, f.keys, f.bytes = f.events[:0], f.keys[:0], 0
	tell(f.config.Writing, f.done, f.total)
	return nil
}
