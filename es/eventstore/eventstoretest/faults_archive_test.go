package eventstoretest_test

import (
	"context"
	"errors"
	"iter"
	"slices"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// listing plants a change of the list of all keys.
func listing(change func(records []eventstore.KeyRecord, upTo int64) []eventstore.KeyRecord) func(*broken) {
	return func(b *broken) {
		b.keys = func(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
			return func(yield func(eventstore.KeyRecord, error) bool) {
				var all []eventstore.KeyRecord
				for record := range b.EventStore.Keys(ctx, 1<<60) {
					all = append(all, record)
				}
				for _, record := range change(all, upTo) {
					if !yield(record, nil) {
						return
					}
				}
			}
		}
	}
}

func upTo(records []eventstore.KeyRecord, last int64) []eventstore.KeyRecord {
	return slices.DeleteFunc(records, func(r eventstore.KeyRecord) bool { return r.Position > last })
}

func archiveFaults() []fault {
	return []fault{
		{"keys are listed beyond the head", "archive/keys in order", listing(
			func(all []eventstore.KeyRecord, _ int64) []eventstore.KeyRecord { return all })},
		{"keys are listed by name", "archive/keys in order", listing(
			func(all []eventstore.KeyRecord, last int64) []eventstore.KeyRecord {
				slices.SortFunc(all, func(a, b eventstore.KeyRecord) int { return int(b.Key.Value[0]) - int(a.Key.Value[0]) })
				slices.Reverse(all)
				return upTo(all, last)
			})},
		{"only a page of keys is listed", "archive/many keys", listing(
			func(all []eventstore.KeyRecord, last int64) []eventstore.KeyRecord {
				return upTo(all, last)[:min(1000, len(upTo(all, last)))]
			})},
		{"the history id stays when it is renewed", "archive/new history", func(b *broken) {
			b.renew = func(context.Context) (string, error) { return event.NewID(), nil }
		}},
		{"the new history id is not durable", "archive/new history stays", func(b *broken) {
			before, _ := b.EventStore.History(context.Background())
			b.reopened = func() {
				b.history = func(context.Context) (string, error) { return before, nil }
			}
		}},
	}
}

// into plants a change of what is imported.
func into(change func(events []event.Envelope, keys []eventstore.KeyRecord) ([]event.Envelope, []eventstore.KeyRecord)) func(*broken) {
	return func(b *broken) {
		b.importEvents = func(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
			events, keys = change(slices.Clone(events), keys)
			return b.EventStore.ImportEvents(ctx, events, keys)
		}
	}
}

func importFaults() []fault {
	const whole, goesOn = "archive/import brings everything", "archive/import goes on"
	return []fault{
		{"keys are not imported", whole, into(func(e []event.Envelope, _ []eventstore.KeyRecord) ([]event.Envelope, []eventstore.KeyRecord) {
			return e, nil
		})},
		{"events get new ids", whole, into(func(e []event.Envelope, k []eventstore.KeyRecord) ([]event.Envelope, []eventstore.KeyRecord) {
			e[0].ID = event.NewID()
			return e, k
		})},
		{"a store is served while it is filled", whole, func(b *broken) {
			b.history = func(context.Context) (string, error) { return "of before", nil }
		}},
		{"an import starts again", goesOn, func(b *broken) {
			b.beginImport = func(ctx context.Context, source string) (int64, error) {
				_, err := b.EventStore.BeginImport(ctx, source)
				return 0, err
			}
		}},
		{"an import goes on with another source", goesOn, func(b *broken) {
			b.beginImport = func(ctx context.Context, _ string) (int64, error) { return b.EventStore.BeginImport(ctx, "same") }
		}},
		{"half an import gets a history", goesOn, func(b *broken) {
			b.renew = func(ctx context.Context) (string, error) {
				history, err := b.EventStore.Renew(ctx)
				if errors.Is(err, eventstore.ErrNoHistory) {
					return b.EventStore.EndImport(ctx)
				}
				return history, err
			}
		}},
		{"keys come before their events", "archive/import is one batch or none of it", func(b *broken) {
			b.importEvents = func(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
				if err := b.EventStore.ImportEvents(ctx, nil, keys); err != nil {
					return err
				}
				return b.EventStore.ImportEvents(ctx, events, nil)
			}
		}},
		{"a store with events is filled", "archive/import needs an empty store", func(b *broken) {
			b.beginImport = func(ctx context.Context, source string) (int64, error) {
				head, err := b.EventStore.BeginImport(ctx, source)
				if errors.Is(err, eventstore.ErrNotEmpty) {
					return 0, nil
				}
				return head, err
			}
		}},
		{"events are imported at any time", "archive/no import under way", func(b *broken) {
			b.importEvents = func(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
				_, _ = b.EventStore.BeginImport(ctx, "whatever")
				return b.EventStore.ImportEvents(ctx, events, keys)
			}
		}},
	}
}
