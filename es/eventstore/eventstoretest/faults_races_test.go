package eventstoretest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// hidden keeps what was appended last from readers until the next append.
type hidden struct {
	mu    sync.Mutex
	first int64 // the first position that is hidden; 0 hides nothing
	count int64
}

func (h *hidden) hide(first, count int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.first, h.count = first, count
}

func (h *hidden) hides(position int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.first > 0 && position >= h.first && position < h.first+h.count
}

// plantHiding hides count events of every group, from its first or to its last,
// from those who read beside.
func plantHiding(fromFirst bool, count int64) func(*broken) {
	return func(b *broken) {
		h := &hidden{}
		b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			out, err := b.EventStore.Append(ctx, first, group)
			if err == nil && len(group) > 1 && fromFirst {
				h.hide(out[0].Position, count)
			} else if err == nil && len(group) > 1 {
				h.hide(b.top()-count+1, count)
			}
			return out, err
		}
		b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
			page, err := b.EventStore.ReadAll(ctx, after, limit)
			return slices.DeleteFunc(page, func(e event.Envelope) bool { return h.hides(e.Position) }), err
		}
		b.readStream = func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
			page, err := b.EventStore.ReadStream(ctx, stream, from, limit)
			return slices.DeleteFunc(page, func(e event.Envelope) bool { return h.hides(e.Position) }), err
		}
	}
}

func raceFaults() []fault {
	return []fault{
		{"a commit is seen behind a later one", "races/readers never see a gap", plantHiding(true, 1)},
		{"the end of a commit is seen late", "races/readers never see half a commit", plantHiding(false, 1)},
		{"the head is ahead of what can be read", "races/head can be read up to", plantHiding(false, 3)},
		{"the version is ahead of what can be read", "races/streams grow without a gap", plantHiding(false, 3)},
		{"what is not committed is seen", "races/what was read stays", plantUncommitted},
		{"keys are kept after the events", "races/key comes with its events", func(b *broken) {
			b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
				r, err := b.EventStore.FindKey(ctx, key)
				if r.Position == b.top() && key.Client == "race" {
					return eventstore.KeyRecord{}, eventstore.ErrKeyNotFound
				}
				return r, err
			}
		}},
		{"snapshots are kept later", "races/snapshots beside appends", func(b *broken) {
			var mu sync.Mutex
			var kept, waiting eventstore.Snapshot
			b.saveSnapshot = func(_ context.Context, snapshot eventstore.Snapshot) error {
				mu.Lock()
				defer mu.Unlock()
				kept, waiting = waiting, snapshot
				return nil
			}
			b.loadSnapshot = func(context.Context, string) (eventstore.Snapshot, error) {
				mu.Lock()
				defer mu.Unlock()
				return kept, nil
			}
		}},
		{"two writers are not kept apart", "races/several writers", func(b *broken) {
			b.append = func(ctx context.Context, _ int64, group commits) (outcomes, error) {
				version := b.version(group[0].Stream)
				return b.EventStore.Append(ctx, b.top()+1, commits{rebased(group[0], version)})
			}
		}},
	}
}

// plantUncommitted shows a group to readers for a moment before it is written,
// with what will not be there in the end.
func plantUncommitted(b *broken) {
	var mu sync.Mutex
	var early []event.Envelope
	seen := make(chan struct{}, 1)
	b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		mu.Lock()
		for i, e := range group[0].Events {
			e.ID, e.Position = event.NewID(), first+int64(i)
			early = append(early, e)
		}
		mu.Unlock()
		select {
		case <-seen:
		case <-time.After(20 * time.Millisecond): // nobody reads beside
		}
		mu.Lock()
		early = nil
		mu.Unlock()
		return b.EventStore.Append(ctx, first, group)
	}
	b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
		mu.Lock()
		defer mu.Unlock()
		page, err := b.EventStore.ReadAll(ctx, after, limit)
		if len(early) > 0 {
			page = append(page, early...)
			select {
			case seen <- struct{}{}:
			default:
			}
		}
		return page, err
	}
}

func reopenFaults() []fault {
	return []fault{
		{"each start begins a history", "reopen/history id stays", func(b *broken) {
			b.reopened = func() {
				b.history = func(context.Context) (string, error) { return "another", nil }
			}
		}},
		{"the last event is lost", "reopen/events stay", func(b *broken) {
			b.reopened = func() {
				last := b.top()
				b.head = func(context.Context) (int64, error) { return min(b.top(), last-1), nil }
				b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
					page, err := b.EventStore.ReadAll(ctx, after, limit)
					return slices.DeleteFunc(page, func(e event.Envelope) bool { return e.Position >= last }), err
				}
			}
		}},
		{"keys are lost", "reopen/keys stay", func(b *broken) {
			b.reopened = func() {
				b.findKey = func(context.Context, event.Key) (eventstore.KeyRecord, error) {
					return eventstore.KeyRecord{}, eventstore.ErrKeyNotFound
				}
			}
		}},
		{"a snapshot comes back changed", "reopen/snapshot stays or is gone", func(b *broken) {
			b.reopened = func() {
				b.loadSnapshot = func(ctx context.Context, stream string) (eventstore.Snapshot, error) {
					snapshot, err := b.EventStore.LoadSnapshot(ctx, stream)
					snapshot.Data = []byte(strings.ReplaceAll(string(snapshot.Data), " ", ""))
					return snapshot, err
				}
			}
		}},
		{"what arrived before is not known", "reopen/group that arrived before is known", func(b *broken) {
			b.reopened = func() {
				b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
					out, err := b.EventStore.Append(ctx, first, group)
					if slices.ContainsFunc(group, b.arrived) {
						clear(out)
					}
					return out, err
				}
			}
		}},
	}
}
