package projection

import (
	"context"
	"errors"
	"maps"
	"slices"
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
//
// What this process commits is told to those who wait for it, and costs no look.
// For what others commit one of them looks, on behalf of all: however many wait,
// they are not in the way of what they wait for.
func (p *Projection[Tx]) Await(ctx context.Context, stream string, version int64) (reached int64, err error) {
	w, ok := p.waiters.add(stream, version)
	if !ok {
		return event.NoVersion, ErrTooManyWaiters
	}
	defer p.waiters.remove(stream, w)
	// The waiter is known before this look, so nothing slips between the two.
	// What was discarded is rare, and costs more to look for: that can wait until
	// somebody looks for all.
	reached, err = p.shown(ctx, stream)
	lead, leads := p.waiters.lead, false
	defer func() {
		if leads {
			<-p.waiters.lead
		}
	}()
	var poll <-chan time.Time // of the one who leads
	for {
		switch {
		case ctx.Err() != nil && reached < version:
			return reached, ctx.Err()
		case err != nil || reached >= version:
			return reached, err
		}
		select {
		case seen := <-w.woken:
			if seen >= version { // it was committed here: there is no need to ask
				return seen, nil
			}
			reached, err = p.visible(ctx, stream, version, reached)
		case lead <- struct{}{}:
			lead, leads, poll = nil, true, p.waiters.pollDue(p.config.AwaitPoll)
		case <-poll:
			err = p.lookForAll(ctx)
			poll = p.waiters.pollDue(p.config.AwaitPoll)
		case <-ctx.Done():
		}
	}
}

// discardsMax is of how many discarded events it is looked whether they are of a
// stream that is waited for: mostly there are none at all.
const discardsMax = 1000

// lookForAll wakes those whose version is there, or whose stream may have come to
// it over what was discarded. After an error all look for themselves.
func (p *Projection[Tx]) lookForAll(ctx context.Context) error {
	wanted := p.waiters.polled()
	err := p.store.View(ctx, func(tx Tx) error {
		heads, err := p.model.Heads(ctx, tx, slices.Sorted(maps.Keys(wanted)))
		if err != nil {
			return err
		}
		discarded, err := p.store.Discards(ctx, tx, p.name, Discarded{}, discardsMax)
		if err != nil {
			return err
		}
		passed := make(map[string]bool)
		for _, d := range discarded {
			passed[d.Stream] = true
		}
		for stream, least := range wanted {
			head, ok := heads[stream]
			if ok && head.Version >= least || passed[stream] || len(discarded) == discardsMax {
				p.waiters.wakeOf(stream)
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		p.waiters.wakeAll()
	}
	return err
}

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

// visible returns the version that a stream shows, or with an error the one that
// was known before. What was discarded is only looked up where wanted is not
// reached without it.
func (p *Projection[Tx]) visible(ctx context.Context, stream string, wanted, known int64) (int64, error) {
	version, err := p.shown(ctx, stream)
	if err != nil {
		return known, err
	}
	if version >= wanted {
		return version, nil
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
	// lead holds one element while one of them looks for all.
	lead chan struct{}

	mu       sync.Mutex
	size     int
	looked   time.Time // when somebody looked for all, or began to wait alone
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
	if ws.size == 0 {
		ws.looked = time.Now()
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

// pollDue returns what tells when it is time to look for all. Whoever takes the
// lead goes on with the time of the one before.
func (ws *waiters) pollDue(interval time.Duration) <-chan time.Time {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return time.After(time.Until(ws.looked.Add(interval)))
}

// polled returns the least version that is waited for, of each stream.
func (ws *waiters) polled() map[string]int64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.looked = time.Now()
	least := make(map[string]int64, len(ws.byStream))
	for stream, all := range ws.byStream {
		for w := range all {
			if known, ok := least[stream]; !ok || w.version < known {
				least[stream] = w.version
			}
		}
	}
	return least
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
