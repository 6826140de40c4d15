package relay_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// history is an exact relay.Source in memory, whose events can vanish.
type history struct {
	mu      sync.Mutex
	id      string
	events  []event.Envelope
	heads   map[string]int64
	missing map[int64]bool
	moved   chan struct{}
	fails   error // what every method says
}

func newHistory(id string) *history {
	return &history{
		id: id, heads: make(map[string]int64), missing: make(map[int64]bool), moved: make(chan struct{}),
	}
}

// append commits an event of each stream.
func (h *history) append(streams ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, stream := range streams {
		position := int64(len(h.events)) + 1
		h.events = append(h.events, event.Envelope{
			ID:     fmt.Sprintf("%s-%d", h.id, position),
			Stream: stream, Version: h.heads[stream], Position: position,
			Type: event.Type{Name: "test.happened", Schema: 1},
			Time: time.UnixMicro(position).UTC(),
			Data: fmt.Appendf(nil, `{"n":%d}`, position),
		})
		h.heads[stream]++
	}
	close(h.moved)
	h.moved = make(chan struct{})
}

// put commits events as they are.
func (h *history) put(events ...event.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, events...)
	close(h.moved)
	h.moved = make(chan struct{})
}

// fill commits n events of several streams in turn.
func (h *history) fill(n int) {
	streams := make([]string, n)
	for i := range streams {
		streams[i] = fmt.Sprintf("s%02d", i%7) // some in each partition
	}
	h.append(streams...)
}

// cut takes the last events away, as a back-up does that is put back by hand.
func (h *history) cut(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events[len(h.events)-n:] {
		h.heads[e.Stream]--
	}
	h.events = h.events[:len(h.events)-n]
}

func (h *history) lose(position int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing[position] = true
}

func (h *history) find(position int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.missing, position)
}

// fail lets every method fail from now on; nil ends that. Who waits hears it at
// once.
func (h *history) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails = err
	close(h.moved)
	h.moved = make(chan struct{})
}

// all returns every event.
func (h *history) all() []event.Envelope {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]event.Envelope(nil), h.events...)
}

func (h *history) History() string { return h.id }

func (h *history) Head(ctx context.Context) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails != nil {
		return 0, h.fails
	}
	return int64(len(h.events)), ctx.Err()
}

func (h *history) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		for position := after + 1; ; position++ {
			e, ok, err := h.at(ctx, position)
			if !ok && err == nil || !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (h *history) at(ctx context.Context, position int64) (event.Envelope, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return event.Envelope{}, false, ctx.Err()
	case h.fails != nil:
		return event.Envelope{}, false, h.fails
	case position > int64(len(h.events)):
		return event.Envelope{}, false, nil
	case h.missing[position]:
		return event.Envelope{}, false, fmt.Errorf("read position %d: %w", position, eventstore.ErrMissing)
	}
	return h.events[position-1], true, nil
}

func (h *history) Await(ctx context.Context, after int64) error {
	for {
		h.mu.Lock()
		head, moved, fails := int64(len(h.events)), h.moved, h.fails
		h.mu.Unlock()
		switch {
		case fails != nil:
			return fails
		case head > after:
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
