package projection

import (
	"context"
	"errors"
	"sync"
	"time"

	"passbook/es/event"
)

// ErrTooManyWaiters: Config.WaitersMax calls of Await are waiting.
var ErrTooManyWaiters = errors.New("too many queries wait for an event")

// Await waits until the read model shows a version of a stream, and returns the
// version that it shows. A discarded event counts as shown when everything
// before it is: it is never coming, and the answer is above the version in the
// rows then. When ctx ends first, it returns the version reached by
// then with the error of ctx. Other errors: ErrTooManyWaiters, and those of the
// engine.
func (p *Projection[Tx]) Await(ctx context.Context, stream string, version int64) (reached int64, err error) {
	w, ok := p.waiters.add(stream, version)
	if !ok {
		return event.NoVersion, ErrTooManyWaiters
	}
	defer p.waiters.remove(stream, w)
	poll := time.NewTicker(p.config.AwaitPoll)
	defer poll.Stop()
	reached = event.NoVersion
	for {
		// The waiter is known before this look, so nothing slips between the two.
		seen, err := p.visible(ctx, stream, version)
		if err == nil {
			reached = seen
		}
		switch {
		case ctx.Err() != nil && reached < version:
			return reached, ctx.Err()
		case err != nil || reached >= version:
			return reached, err
		}
		select {
		case <-w.woken:
		case <-poll.C:
		case <-ctx.Done():
			return reached, ctx.Err()
		}
	}
}

// visible returns the version that a stream shows. What was discarded is only
// looked up where wanted is not reached without it.
func (p *Projection[Tx]) visible(ctx context.Context, stream string, wanted int64) (int64, error) {
	version := event.NoVersion
	if p.config.Visible != nil {
		var err error
		if version, err = p.config.Visible(ctx, stream); err != nil || version >= wanted {
			return version, err
		}
	}
	err := p.store.View(ctx, func(tx Tx) error {
		if p.config.Visible == nil {
			heads, err := p.model.Heads(ctx, tx, []string{stream})
			if head, ok := heads[stream]; ok {
				version = head.Version
			}
			if err != nil || version >= wanted {
				return err
			}
		}
		discarded, err := p.store.Discarded(ctx, tx, p.name, stream)
		version = newDiscards(discarded).reach(stream, version)
		return err
	})
	return version, err
}

// waiters are the calls of Await that wait, by stream.
type waiters struct {
	limit int

	mu       sync.Mutex
	size     int
	byStream map[string]map[*waiter]struct{}
}

type waiter struct {
	version int64
	// woken holds one element when there is a reason to look again.
	woken chan struct{}
}

func (ws *waiters) add(stream string, version int64) (*waiter, bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.size == ws.limit {
		return nil, false
	}
	w := &waiter{version: version, woken: make(chan struct{}, 1)}
	if ws.byStream == nil {
		ws.byStream = make(map[string]map[*waiter]struct{})
	}
	if ws.byStream[stream] == nil {
		ws.byStream[stream] = make(map[*waiter]struct{})
	}
	ws.byStream[stream][w] = struct{}{}
	ws.size++
	return w, true
}

func (ws *waiters) remove(stream string, w *waiter) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.byStream[stream], w)
	if len(ws.byStream[stream]) == 0 {
		delete(ws.byStream, stream)
	}
	ws.size--
}

// wake has those look again that wait for a version up to this one.
func (ws *waiters) wake(stream string, version int64) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.byStream[stream] {
		if w.version <= version {
			w.wake()
		}
	}
}

func (ws *waiters) wakeAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, all := range ws.byStream {
		for w := range all {
			w.wake()
		}
	}
}

func (w *waiter) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}
