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
// rows then, after a first Config.AwaitPoll at the latest. When ctx ends first,
// it returns the version reached by then with the error of ctx. Other errors:
// ErrTooManyWaiters, and those of the engine.
func (p *Projection[Tx]) Await(ctx context.Context, stream string, version int64) (reached int64, err error) {
	w, ok := p.waiters.add(stream, version)
	if !ok {
		return event.NoVersion, ErrTooManyWaiters
	}
	defer p.waiters.remove(stream, w)
	// The waiter is known before this look, so nothing slips between the two.
	// What was discarded is rare, and costs more to look for: that can wait until
	// the first pause is over.
	if reached, err = p.shown(ctx, stream); ctx.Err() != nil && reached < version {
		return reached, ctx.Err()
	}
	pause := p.config.AwaitPoll
	poll := time.NewTimer(pause)
	defer poll.Stop()
	for err == nil && reached < version {
		select {
		case seen := <-w.woken:
			if seen >= version { // it was committed here: there is no need to ask
				return seen, nil
			}
		case <-poll.C:
			// Many may wait, and what they ask the database is in the way of what
			// they wait for.
			pause = min(2*pause, awaitPollMax*p.config.AwaitPoll)
			poll.Reset(pause)
		case <-ctx.Done():
			return reached, ctx.Err()
		}
		var seen int64
		if seen, err = p.visible(ctx, stream, version); err == nil {
			reached = seen
		}
		if ctx.Err() != nil && reached < version {
			return reached, ctx.Err()
		}
	}
	return reached, err
}

// awaitPollMax is how many times as long as at first a waiting Await pauses in the
// end.
const awaitPollMax = 8

// shown returns the version of a stream that is in the rows.
func (p *Projection[Tx]) shown(ctx context.Context, stream string) (version int64, err error) {
	if p.config.Visible != nil {
		return p.config.Visible(ctx, stream)
	}
	version = event.NoVersion
	err = p.store.View(ctx, func(tx Tx) error {
		heads, err := p.model.Heads(ctx, tx, []string{stream})
		if head, ok := heads[stream]; ok {
			version = head.Version
		}
		return err
	})
	return version, err
}

// visible returns the version that a stream shows. What was discarded is only
// looked up where wanted is not reached without it.
func (p *Projection[Tx]) visible(ctx context.Context, stream string, wanted int64) (int64, error) {
	version, err := p.shown(ctx, stream)
	if err != nil || version >= wanted {
		return version, err
	}
	err = p.store.View(ctx, func(tx Tx) error {
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
	// woken holds one element when there is a reason to look again: the version
	// that was committed, or event.NoVersion where that is not known.
	woken chan int64
}

func (ws *waiters) add(stream string, version int64) (*waiter, bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.size == ws.limit {
		return nil, false
	}
	w := &waiter{version: version, woken: make(chan int64, 1)}
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
			w.wake(version)
		}
	}
}

// wakeOf has all look again that wait for the stream.
func (ws *waiters) wakeOf(stream string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.byStream[stream] {
		w.wake(event.NoVersion)
	}
}

func (ws *waiters) wakeAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, all := range ws.byStream {
		for w := range all {
			w.wake(event.NoVersion)
		}
	}
}

func (w *waiter) wake(version int64) {
	select {
	case w.woken <- version:
	default:
	}
}
