package archive_test

import (
	"context"
	"io"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// A disk that is full at any byte is an error, never a file that looks whole.
func TestExport_DiskFull(t *testing.T) {
	t.Parallel()
	store := memory.NewEventStore()
	small(t, store)
	_, file := export(t, store)
	for room := range file {
		left := room
		_, err := archive.Export(t.Context(), store, writerFunc(func(b []byte) (int, error) {
			n := min(len(b), left)
			left -= n
			if n < len(b) {
				return n, io.ErrShortWrite
			}
			return n, nil
		}), archive.ExportConfig{Program: "test", Now: now})
		require.ErrorIs(t, err, io.ErrShortWrite, "room for %d bytes", room)
	}
}

// odd is a store with a fault.
type odd struct {
	*memory.EventStore
	keys func(eventstore.KeyRecord) []eventstore.KeyRecord
	page func([]event.Envelope) []event.Envelope
	err  error
}

func (o odd) Keys(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
	return func(yield func(eventstore.KeyRecord, error) bool) {
		for record, err := range o.EventStore.Keys(ctx, upTo) {
			records := []eventstore.KeyRecord{record}
			if o.keys != nil {
				records = o.keys(record)
			}
			for _, r := range records {
				if !yield(r, err) {
					return
				}
			}
		}
		if o.err != nil {
			yield(eventstore.KeyRecord{}, o.err)
		}
	}
}

func (o odd) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	page, err := o.EventStore.ReadAll(ctx, after, limit)
	if o.page != nil {
		page = o.page(page)
	}
	return page, err
}

// A damaged store must not become a file that looks sound.
func TestExport_DamagedStore(t *testing.T) {
	t.Parallel()
	inner := memory.NewEventStore()
	small(t, inner)
	change := func(do func(*eventstore.KeyRecord)) func(eventstore.KeyRecord) []eventstore.KeyRecord {
		return func(r eventstore.KeyRecord) []eventstore.KeyRecord { do(&r); return []eventstore.KeyRecord{r} }
	}
	for name, c := range map[string]struct {
		store odd
		want  error
	}{
		"KeyElsewhere":     {odd{keys: change(func(r *eventstore.KeyRecord) { r.Position-- })}, archive.ErrInconsistent},
		"KeyBehindTheHead": {odd{keys: change(func(r *eventstore.KeyRecord) { r.Position += 5 })}, archive.ErrInconsistent},
		"KeyOfOtherStream": {odd{keys: change(func(r *eventstore.KeyRecord) { r.Stream += "x" })}, archive.ErrInconsistent},
		"KeyVersion":       {odd{keys: change(func(r *eventstore.KeyRecord) { r.Version++ })}, archive.ErrInconsistent},
		"KeyTwice": {odd{keys: func(r eventstore.KeyRecord) []eventstore.KeyRecord {
			return []eventstore.KeyRecord{r, r}
		}}, archive.ErrInconsistent},
		"KeysFail":      {odd{err: errPlanted}, errPlanted},
		"GapInEvents":   {odd{page: func(p []event.Envelope) []event.Envelope { return append(p[:2:2], p[3:]...) }}, eventstore.ErrMissing},
		"EventsTooFew":  {odd{page: func(p []event.Envelope) []event.Envelope { return p[:4] }}, eventstore.ErrMissing},
		"NoEventsFound": {odd{page: func([]event.Envelope) []event.Envelope { return nil }}, eventstore.ErrMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.store.EventStore = inner
			_, err := archive.Export(t.Context(), c.store, io.Discard, archive.ExportConfig{Now: now})
			require.ErrorIs(t, err, c.want)
		})
	}
}

// Interrupted work ends.
func TestExport_Interrupted(t *testing.T) {
	t.Parallel()
	store := memory.NewEventStore()
	small(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := archive.Export(ctx, store, io.Discard, archive.ExportConfig{Now: now})
	require.ErrorIs(t, err, context.Canceled)
}
