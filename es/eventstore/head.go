package eventstore

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// head is the last durable position that this process knows of, and a signal
// to those who wait for it to move.
type head struct {
	mu       sync.Mutex
	position int64
	// rumours counts the times at which the engine has said that there may be
	// more, known how many of them a look at the engine has answered.
	rumours, known int
	news           chan struct{} // closed and replaced with each position and rumour

	wanted chan struct{} // closed when somebody waits for the first time
	want   sync.Once
}

func (h *head) init(position int64) {
	h.position = position
	h.news = make(chan struct{})
	h.wanted = make(chan struct{})
}

func (h *head) get() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position
}

// listen returns the position, whether it is worth to look for a later one, and
// what is closed when there is anything new about either.
func (h *head) listen() (position int64, doubtful bool, news <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position, h.rumours > h.known, h.news
}

func (h *head) raise(position int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if position <= h.position {
		return
	}
	h.position = position
	h.announce()
}

// rumour notes that there may be events that this process does not know of.
func (h *head) rumour() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rumours++
	h.announce()
}

func (h *head) announce() {
	close(h.news)
	h.news = make(chan struct{})
}

// look asks the engine. What it answers is news of every rumour that was there
// when it was asked, and of none that came since.
func (h *head) look(ctx context.Context, engine Engine) error {
	h.mu.Lock()
	answered := h.rumours
	h.mu.Unlock()
	position, err := engine.Head(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.known = max(h.known, answered)
	h.mu.Unlock()
	h.raise(position)
	return nil
}

// Await returns once the store holds a durable event behind position after, or
// when ctx ends, with its error. Where other processes write too, it asks the
// engine from time to time, and when a Watcher says that it is worth it.
func (s *Store) Await(ctx context.Context, after int64) error {
	for {
		position, doubtful, news := s.head.listen()
		if position > after {
			return nil
		}
		s.head.want.Do(func() { close(s.head.wanted) })
		if !doubtful {
			overdue, err := s.awaitNews(ctx, news)
			if err != nil {
				return err
			}
			if !overdue {
				continue
			}
		}
		if err := s.head.look(ctx, s.engine); err != nil {
			return fmt.Errorf("await events: read head: %w", err)
		}
	}
}

// awaitNews tells whether none came for so long that it is time to ask for some.
func (s *Store) awaitNews(ctx context.Context, news <-chan struct{}) (overdue bool, err error) {
	var poll <-chan time.Time // never, where nobody else writes
	if s.features.SharedWriters {
		timer := time.NewTimer(s.config.PollInterval)
		defer timer.Stop()
		poll = timer.C
	}
	select {
	case <-news:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-poll:
		return true, nil
	}
}
