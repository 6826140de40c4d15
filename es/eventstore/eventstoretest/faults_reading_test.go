package eventstoretest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// readAs plants a change of every event that is read.
func readAs(change func(e *event.Envelope)) func(*broken) {
	changed := func(page []event.Envelope, err error) ([]event.Envelope, error) {
		for i := range page {
			change(&page[i])
		}
		return page, err
	}
	return func(b *broken) {
		b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
			return changed(b.EventStore.ReadAll(ctx, after, limit))
		}
		b.readStream = func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
			return changed(b.EventStore.ReadStream(ctx, stream, from, limit))
		}
	}
}

func readingFaults() []fault {
	return []fault{
		{"an unknown stream is at version 0", "reading/empty store", func(b *broken) {
			b.streamVersion = func(_ context.Context, stream string) (int64, error) { return max(b.version(stream), 0), nil }
		}},
		{"from is exclusive", "reading/pages of a stream", func(b *broken) {
			b.readStream = func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
				return b.EventStore.ReadStream(ctx, stream, from+1, limit)
			}
		}},
		{"a stream is read without an order", "reading/pages of a stream", func(b *broken) {
			b.readStream = func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
				page, err := b.EventStore.ReadStream(ctx, stream, from, limit)
				slices.Reverse(page)
				return page, err
			}
		}},
		{"after is inclusive", "reading/pages of the store", func(b *broken) {
			b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
				return b.EventStore.ReadAll(ctx, max(after-1, 0), limit)
			}
		}},
		{"a page has no limit in bytes", "reading/pages of large events", func(b *broken) {
			b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
				var all []event.Envelope
				for len(all) < limit {
					page, err := b.EventStore.ReadAll(ctx, after, limit-len(all))
					if err != nil || len(page) == 0 {
						return all, err
					}
					all, after = append(all, page...), page[len(page)-1].Position
				}
				return all, nil
			}
		}},
		{"a page ends too soon", "reading/pages of large events", func(b *broken) {
			b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
				page, err := b.EventStore.ReadAll(ctx, after, limit)
				if len(page) > 2 && len(page[0].Data) > 1000 {
					page = page[:2]
				}
				return page, err
			}
		}},
		{"the limit is not looked at", "reading/pages of the store", func(b *broken) {
			b.readAll = func(ctx context.Context, after int64, _ int) ([]event.Envelope, error) {
				return b.EventStore.ReadAll(ctx, after, 1<<30)
			}
		}},
		{"pages end early", "reading/pages of the store", func(b *broken) {
			b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
				return b.EventStore.ReadAll(ctx, after, min(limit, 90))
			}
		}},
		{"stream names are compared without case", "reading/stream names are told apart to the byte", plantNames(strings.ToLower)},
		{"stream names are trimmed", "reading/stream names are told apart to the byte", plantNames(strings.TrimSpace)},
		{"a history id for each question", "reading/history id", func(b *broken) {
			b.history = func(context.Context) (string, error) { return event.NewID(), nil }
		}},
		{"one history id for all stores", "reading/history id", func(b *broken) {
			b.history = func(context.Context) (string, error) { return "history", nil }
		}},
	}
}

// plantNames answers for every stream whose name folds to the same.
func plantNames(fold func(string) string) func(*broken) {
	return func(b *broken) {
		b.readStream = func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
			all, err := b.EventStore.ReadAll(ctx, 0, 1<<30)
			all = slices.DeleteFunc(all, func(e event.Envelope) bool { return fold(e.Stream) != fold(stream) })
			from = min(from, int64(len(all)))
			return all[from:min(int(from)+limit, len(all))], err
		}
	}
}

func envelopeFaults() []fault {
	const payloads, names = "reading/payloads come back to the byte", "reading/names come back"
	const times, metadata = "reading/times come back to the microsecond", "reading/metadata comes back"
	return []fault{
		{"payloads are compacted", payloads, readAs(func(e *event.Envelope) {
			var b bytes.Buffer
			if json.Compact(&b, e.Data) == nil {
				e.Data = b.Bytes()
			}
		})},
		{"payloads are decoded and encoded", payloads, readAs(func(e *event.Envelope) {
			var v any
			if json.Unmarshal(e.Data, &v) == nil {
				e.Data, _ = json.Marshal(v)
			}
		})},
		{"long payloads are cut", payloads, readAs(func(e *event.Envelope) { e.Data = e.Data[:min(len(e.Data), 65_535)] })},
		{"times are kept in milliseconds", times, readAs(func(e *event.Envelope) { e.Time = e.Time.Truncate(time.Millisecond) })},
		{"times come in a local zone", times, readAs(func(e *event.Envelope) { e.Time = e.Time.In(time.FixedZone("", 3600)) })},
		{"times before 1970 are lost", times, readAs(func(e *event.Envelope) {
			if e.Time.Unix() < 0 {
				e.Time = time.Unix(0, 0).UTC()
			}
		})},
		{"the actor is lost", metadata, readAs(func(e *event.Envelope) { e.Metadata.Actor = "" })},
		{"imported is lost", metadata, readAs(func(e *event.Envelope) { e.Metadata.Imported = false })},
		{"the category is trimmed", names, readAs(func(e *event.Envelope) { e.Category = strings.TrimSpace(e.Category) })},
		{"the type is cut at the first v", names, readAs(func(e *event.Envelope) {
			e.Type.Name, _, _ = strings.Cut(e.Type.Name, ".v")
		})},
		{"the trace is lost", "reading/no member of an envelope is lost", readAs(func(e *event.Envelope) { e.Metadata.TraceParent = "" })},
	}
}

func snapshotFaults() []fault {
	return []fault{
		{"no snapshot is an empty one", "snapshots/none", func(b *broken) {
			b.loadSnapshot = func(ctx context.Context, stream string) (eventstore.Snapshot, error) {
				snapshot, err := b.EventStore.LoadSnapshot(ctx, stream)
				if errors.Is(err, eventstore.ErrNoSnapshot) {
					return eventstore.Snapshot{Stream: stream}, nil
				}
				return snapshot, err
			}
		}},
		{"the schema is lost", "snapshots/comes back", func(b *broken) {
			b.saveSnapshot = func(ctx context.Context, snapshot eventstore.Snapshot) error {
				snapshot.Schema = 0
				return b.EventStore.SaveSnapshot(ctx, snapshot)
			}
		}},
		{"the first stays", "snapshots/replaces the earlier one", func(b *broken) {
			b.saveSnapshot = func(ctx context.Context, snapshot eventstore.Snapshot) error {
				if _, err := b.EventStore.LoadSnapshot(ctx, snapshot.Stream); err == nil {
					return nil
				}
				return b.EventStore.SaveSnapshot(ctx, snapshot)
			}
		}},
		{"all streams share one", "snapshots/each stream has its own", func(b *broken) {
			b.saveSnapshot = func(ctx context.Context, snapshot eventstore.Snapshot) error {
				snapshot.Stream = strings.ToLower(snapshot.Stream)
				return b.EventStore.SaveSnapshot(ctx, snapshot)
			}
		}},
		{"a snapshot counts as a version", "snapshots/is no event", func(b *broken) {
			b.streamVersion = func(ctx context.Context, stream string) (int64, error) {
				snapshot, err := b.EventStore.LoadSnapshot(ctx, stream)
				if err == nil {
					return max(snapshot.Version, b.version(stream)), nil
				}
				return b.version(stream), nil
			}
		}},
	}
}
