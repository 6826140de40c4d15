package eventstoretest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// renamed gives events whose id is in use another one, so that they are taken.
func (b *broken) renamed(c eventstore.Commit) eventstore.Commit {
	c.Events = slices.Clone(c.Events)
	own := make(map[string]bool)
	for i, e := range c.Events {
		if _, used := b.find(e.ID); used || own[e.ID] {
			c.Events[i].ID = event.NewID()
		}
		own[e.ID] = true
	}
	return c
}

func atomicFaults() []fault {
	return []fault{
		{"events of a commit go in one by one", "atomic/commit with a used event id in the middle is rejected whole", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out, err := b.EventStore.Append(ctx, first, group)
				for i := range out {
					if out[i].State != eventstore.Rejected {
						continue
					}
					half := group[i]
					half.Events = half.Events[:1]
					_, err = b.EventStore.Append(ctx, b.top()+1, commits{half})
				}
				return out, err
			}
		}},
		{"a rejected commit leaves its key", "atomic/commit with a used event id in the middle is rejected whole", func(b *broken) {
			left := make(map[event.Key]bool)
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out, err := b.EventStore.Append(ctx, first, group)
				for i := range out {
					left[group[i].Key] = left[group[i].Key] || out[i].State == eventstore.Rejected
				}
				return out, err
			}
			b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
				if left[key] {
					return eventstore.KeyRecord{Key: key}, nil
				}
				return b.EventStore.FindKey(ctx, key)
			}
		}},
		{"event ids may repeat within a commit", "atomic/commit with the same event id twice is rejected whole",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit { return b.renamed(c) })},
		{"event ids may repeat within a group", "atomic/event id of another commit of the group is rejected",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit { return b.renamed(c) })},
		{"a commit is known by the event id alone", "atomic/event id of another stream is rejected", plantKnownBy(
			func(event.Envelope, eventstore.Commit) bool { return true })},
		{"a commit is known by event id and stream", "atomic/event id of another version is rejected", plantKnownBy(
			func(e event.Envelope, c eventstore.Commit) bool { return e.Stream == c.Stream })},
		{"says not written and writes", "atomic/cancelled before", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out, err := b.EventStore.Append(context.WithoutCancel(ctx), first, group)
				if ctx.Err() != nil {
					return nil, fmt.Errorf("%w: %w", eventstore.ErrNotWritten, ctx.Err())
				}
				return out, err
			}
		}},
		{"a cancelled commit is left half written", "atomic/cancelled in the middle", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				half := group[0]
				if n := len(half.Events); n > 1 && first == b.top()+1 && !b.arrived(half) && cancelledSoon(ctx) {
					half.Events = half.Events[:n/2]
					_, _ = b.EventStore.Append(context.WithoutCancel(ctx), first, commits{half})
					return nil, errors.New("connection lost")
				}
				return b.EventStore.Append(ctx, first, group)
			}
		}},
	}
}

// cancelledSoon waits a moment for the end of ctx.
func cancelledSoon(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

// plantKnownBy takes a commit for one that arrived earlier when its first
// event's id is there and same says so.
func plantKnownBy(same func(event.Envelope, eventstore.Commit) bool) func(*broken) {
	return answerAs(func(b *broken, group commits, out outcomes) {
		for i := range out {
			if out[i].State != eventstore.Rejected {
				continue
			}
			if e, ok := b.find(group[i].Events[0].ID); ok && same(e, group[i]) {
				out[i] = eventstore.Outcome{State: eventstore.Written, Position: e.Position}
			}
		}
	})
}

// keyAs plants a change of the keys under which commits are kept and found.
func keyAs(change func(event.Key) event.Key) func(*broken) {
	return func(b *broken) {
		asked := make(map[event.Key]event.Key)
		back := func(r eventstore.KeyRecord) eventstore.KeyRecord {
			r.Key = asked[r.Key]
			return r
		}
		b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			group = slices.Clone(group)
			for i, c := range group {
				group[i].Key = change(c.Key)
				if _, ok := asked[group[i].Key]; !ok {
					asked[group[i].Key] = c.Key
				}
			}
			out, err := b.EventStore.Append(ctx, first, group)
			for i := range out {
				out[i].Prior = back(out[i].Prior)
			}
			return out, err
		}
		b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
			r, err := b.EventStore.FindKey(ctx, change(key))
			return back(r), err
		}
	}
}

// recordAs plants a change of what a key finds.
func recordAs(change func(b *broken, r *eventstore.KeyRecord)) func(*broken) {
	return func(b *broken) {
		b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
			r, err := b.EventStore.FindKey(ctx, key)
			if err == nil {
				change(b, &r)
			}
			return r, err
		}
	}
}

func keyFaults() []fault {
	return []fault{
		{"keys are not kept", "idempotency/key finds what was committed under it",
			keyAs(func(event.Key) event.Key { return event.Key{} })},
		{"a key finds the first event", "idempotency/key finds what was committed under it",
			recordAs(func(_ *broken, r *eventstore.KeyRecord) { r.Position-- })},
		{"a key finds the stream as it is now", "idempotency/key finds what was committed under it",
			recordAs(func(b *broken, r *eventstore.KeyRecord) { r.Version = b.version(r.Stream) })},
		{"the result is lost", "idempotency/key finds what was committed under it",
			recordAs(func(_ *broken, r *eventstore.KeyRecord) { r.Result = nil })},
		{"no hash becomes some hash", "idempotency/key without hash and result",
			recordAs(func(_ *broken, r *eventstore.KeyRecord) {
				if r.RequestHash == nil {
					r.RequestHash = []byte("null")
				}
			})},
		{"an unknown key is no error", "idempotency/unknown key", func(b *broken) {
			b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
				r, err := b.EventStore.FindKey(ctx, key)
				if errors.Is(err, eventstore.ErrKeyNotFound) {
					return eventstore.KeyRecord{}, nil
				}
				return r, err
			}
		}},
		{"the client is no part of the key", "idempotency/same value of another client is another key",
			keyAs(func(k event.Key) event.Key { return event.Key{Value: k.Value} })},
		{"client and value are run together", "idempotency/same value of another client is another key",
			keyAs(func(k event.Key) event.Key { return event.Key{Value: k.Client + k.Value} })},
		{"a taken key is not noticed", "idempotency/taken key is refused with its holder",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit {
				if _, err := b.EventStore.FindKey(context.Background(), c.Key); err == nil {
					c.Key = event.Key{}
				}
				return c
			})},
		{"a taken key's holder is not told", "idempotency/taken key is refused with its holder",
			answerAs(func(_ *broken, _ commits, out outcomes) {
				for i := range out {
					out[i].Prior = eventstore.KeyRecord{}
				}
			})},
		{"a refused commit leaves its key", "idempotency/key of a refused commit stays free", func(b *broken) {
			left := make(map[event.Key]bool)
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out, err := b.EventStore.Append(ctx, first, group)
				for i := range out {
					left[group[i].Key] = left[group[i].Key] || out[i].State == eventstore.Conflict
				}
				return out, err
			}
			b.findKey = func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
				if left[key] {
					return eventstore.KeyRecord{Key: key}, nil
				}
				return b.EventStore.FindKey(ctx, key)
			}
		}},
		{"keys of the same group are not compared", "idempotency/key is taken within a group", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				group = slices.Clone(group)
				seen := make(map[event.Key]bool)
				for i := range group {
					if seen[group[i].Key] {
						group[i].Key = event.Key{}
					}
					seen[group[i].Key] = true
				}
				return b.EventStore.Append(ctx, first, group)
			}
		}},
		{"no key is a key too", "idempotency/commits without a key do not collide",
			keyAs(func(k event.Key) event.Key { return event.Key{Client: k.Client, Value: "key:" + k.Value} })},
		{"keys are compared without case", "idempotency/keys are told apart to the byte",
			keyAs(func(k event.Key) event.Key { return event.Key{Client: k.Client, Value: strings.ToLower(k.Value)} })},
		{"keys are trimmed", "idempotency/keys are told apart to the byte",
			keyAs(func(k event.Key) event.Key { return event.Key{Client: k.Client, Value: strings.TrimSpace(k.Value)} })},
	}
}
