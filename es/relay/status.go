package relay

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// State is what a relay is doing.
type State string

// The states of a relay.
const (
	// StateOff: it is not run.
	StateOff State = "off"
	// StateWaiting: another has the lease.
	StateWaiting State = "waiting"
	// StateResuming: it compares the topic with the store.
	StateResuming State = "resuming"
	// StateRunning: it publishes.
	StateRunning State = "running"
	// StateRetrying: something failed, and is tried again.
	StateRetrying State = "retrying"
	// StateStopped: something failed that a person has to look at. It is looked
	// at again from time to time.
	StateStopped State = "stopped"
)

// Status is what others may know of a relay.
type Status struct {
	State State
	// Since is when the state began.
	Since time.Time
	// Err is why the relay retries or is stopped; nil otherwise.
	Err error
	// Position is confirmed: all events up to it are acknowledged by the topic.
	// While another relay has the lease, it is what that one saved last. It
	// goes back when the topic lost records.
	Position int64
	// Topic is the topic as it was last opened.
	Topic bus.Topic
	// Truncated are the partitions that do not start at offset 0: somebody
	// deleted records there, and who reads them from the start gets the events
	// in another order.
	Truncated []int32
	// Fence is that of the last lease.
	Fence int64
	// Published counts records that were acknowledged to this relay, Resumes
	// how often it took up the topic, Repeats and Foreign the records that it
	// met in doing so, again each time, that were equal repeats and that were
	// no events of a relay.
	Published, Resumes, Repeats, Foreign int64
}

// Status returns what is known at the moment. Safe for concurrent use.
func (r *Relay) Status() Status {
	r.status.mu.Lock()
	defer r.status.mu.Unlock()
	s := r.status.Status
	if s.State == "" {
		s.State = StateOff
	}
	return s
}

// Lag returns how many events the store has that are not confirmed.
func (r *Relay) Lag(ctx context.Context) (int64, error) {
	position := r.Status().Position // before the head, or it could be the higher one
	head, err := r.source.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("lag of relay: %w", err)
	}
	return max(head-position, 0), nil
}

// board is where a relay writes its status.
type board struct {
	mu sync.Mutex
	Status
}

func (b *board) update(change func(s *Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.Status)
}

// enter must be called with the lock held.
func (b *board) enter(state State, err error) {
	if b.State != state {
		b.Since = time.Now()
	}
	b.State, b.Err = state, err
}

func (b *board) off() { b.update(func(*Status) { b.enter(StateOff, nil) }) }

func (b *board) standBy(position int64) {
	b.update(func(s *Status) {
		b.enter(StateWaiting, nil)
		s.Position = position
	})
}

func (b *board) begin(lease checkpoint.Lease) { b.update(func(s *Status) { s.Fence = lease.Fence }) }

// resume leaves an error standing until something has worked.
func (b *board) resume() {
	b.update(func(s *Status) {
		s.Resumes++
		if s.Err == nil {
			b.enter(StateResuming, nil)
		}
	})
}

func (b *board) open(topic bus.Topic) { b.update(func(s *Status) { s.Topic = topic }) }

func (b *board) bounds(bounds []bus.Bounds) {
	b.update(func(s *Status) {
		s.Truncated = nil
		for p, bound := range bounds {
			if bound.First > 0 {
				s.Truncated = append(s.Truncated, int32(p))
			}
		}
	})
}

func (b *board) confirm(position int64) { b.update(func(s *Status) { s.Position = position }) }

func (b *board) published(records int64) { b.update(func(s *Status) { s.Published += records }) }

func (b *board) repeat() { b.update(func(s *Status) { s.Repeats++ }) }

func (b *board) foreign(record bus.Record, err error, log *slog.Logger) {
	b.update(func(s *Status) {
		if s.Foreign++; s.Foreign == 1 {
			log.Warn("relay found a record that is no event, and passes over it and any further ones",
				"partition", record.Partition, "offset", record.Offset, "error", err)
		}
	})
}

func (b *board) worked(position int64, log *slog.Logger) {
	b.update(func(s *Status) {
		if s.Err != nil {
			log.Info("relay is back", "after", time.Since(s.Since))
		}
		b.enter(StateRunning, nil)
		s.Position = position
	})
}

func (b *board) trouble(err error, log *slog.Logger) {
	b.update(func(s *Status) {
		known := s.Err != nil && s.Err.Error() == err.Error()
		if needsPerson(err) {
			b.enter(StateStopped, err)
			if !known {
				log.Error("relay stopped", "error", err)
			}
			return
		}
		b.enter(StateRetrying, err)
		if !known {
			log.Warn("relay retries", "error", err)
		}
	})
}
