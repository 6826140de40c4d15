package eventstore

import (
	"context"
	"sync"
	"time"
)

// Watcher is an engine that notices what other processes append. It is no part
// of Engine: a Store that stands on one asks for the head less in vain and hears
// of events sooner, and does without as well.
//
// A watch is a wake-up call and nothing else. What a technology announces comes
// from a log of changes that is cut off somewhere, that a reader may fall out of,
// and that is not in the order of positions; so nobody is given an event because
// it was announced. Who was woken reads the store, by position, as he would have
// at the next Config.PollInterval without a call.
type Watcher interface {
	// Watch calls wake once when it has begun to watch, for what was appended
	// before, and then soon after events of another process have become
	// readable, until ctx ends or it fails. It may call for nothing, once for
	// many events, or not at all; this process's own events need no call.
	//
	// wake returns at once. It is called by one goroutine at a time, and not any
	// more when Watch has returned. Watch is called again after it has returned,
	// whatever it returned, and needs not try again by itself.
	Watch(ctx context.Context, wake func()) error
}

const (
	// watchAgainMin is the pause after a watch that had begun; each one behind it
	// that does not is twice as long.
	watchAgainMin = 100 * time.Millisecond
	watchAgainMax = 10 * time.Second
	// watchLost is how many watches in a row have to fail before anybody is told:
	// one ends with every election.
	watchLost = 3
)

// watchBeside watches, where that makes sense; see beside.
func (s *Store) watchBeside(ctx context.Context) (stop func()) {
	watcher, watches := s.engine.(Watcher)
	if !watches || !s.features.SharedWriters {
		return func() {}
	}
	return beside(ctx, func(ctx context.Context) { s.watch(ctx, watcher) })
}

// beside works in a goroutine of its own, until ctx ends or the function that it
// returns is called, which waits for the end.
func beside(ctx context.Context, work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { work(ctx) })
	return func() {
		cancel()
		working.Wait()
	}
}

// watch has the engine watch, again and again until ctx ends, from the moment at
// which somebody waits for events: a process without readers pays nothing.
func (s *Store) watch(ctx context.Context, watcher Watcher) {
	select {
	case <-s.head.wanted:
	case <-ctx.Done():
		return
	}
	failed, pause := 0, watchAgainMin
	for ctx.Err() == nil {
		err := watcher.Watch(ctx, func() {
			if failed >= watchLost {
				s.config.Logger.Info("events of other processes are noticed at once again")
			}
			failed, pause = 0, watchAgainMin
			s.head.rumour()
		})
		if ctx.Err() != nil {
			return
		}
		s.config.Logger.Debug("watch over the event store ended", "error", err)
		if failed++; failed == watchLost {
			s.config.Logger.Warn("events of other processes are not noticed at once, but looked for",
				"every", s.config.PollInterval, "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, watchAgainMax)
	}
}
