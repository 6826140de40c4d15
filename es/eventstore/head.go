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
	moved    chan struct{} // closed and replaced when position grows
}

func (h *head) init(position int64) {
	h.position = position
	h.moved = make(chan struct{})
}

func (h *head) get() (position int64, moved <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position, h.moved
}

func (h *head) raise(position int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if position <= h.position {
		return
	}
	h.position = position
	close(h.moved)
	h.moved = make(chan struct{})
}

// Await returns once the store holds a durable event behind position after, or
// when ctx ends, with its error. Where other processes write too, it asks the
// engine from time to time.
func (s *Store) Await(ctx context.Context, after int64) error {
	for {
		position, moved := s.head.get()
		if position > after {
			return nil
		}
		if err := s.awaitMove(ctx, moved); err != nil {
			return err
		}
	}
}

func (s *Store) awaitMove(ctx context.Context, moved <-chan struct{}) error {
	if !s.features.SharedWriters {
		select {
		case <-moved:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	timer := time.NewTimer(s.config.PollInterval)
	defer timer.Stop()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	position, err := s.engine.Head(ctx)
	if err != nil {
		return fmt.Errorf("await events: read head: %w", err)
	}
	s.head.raise(position)
	return nil
}
