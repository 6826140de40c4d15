package memory

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// EventStore is an eventstore.Engine that keeps everything in memory. What it
// holds is as durable as the process. Safe for concurrent use, Append included;
// so several Stores may stand on one EventStore, as processes do on a database.
type EventStore struct {
	mu      sync.RWMutex
	history string
	// importing is the source of the import that is under way; nil: none is.
	importing *string
	// events has position n at index n-1; streams has, by version, the
	// positions of each stream's events.
	events    []event.Envelope
	streams   map[string][]int64
	ids       map[string]int64
	keys      map[event.Key]eventstore.KeyRecord
	snapshots map[string]eventstore.Snapshot
}

var _ eventstore.Engine = (*EventStore)(nil)

// NewEventStore returns an empty store with a history id of its own.
func NewEventStore() *EventStore {
	return &EventStore{
		history:   event.NewID(),
		streams:   make(map[string][]int64),
		ids:       make(map[string]int64),
		keys:      make(map[event.Key]eventstore.KeyRecord),
		snapshots: make(map[string]eventstore.Snapshot),
	}
}

// Features implements eventstore.Engine: there is nothing to declare.
func (s *EventStore) Features() eventstore.Features { return eventstore.Features{} }

// History implements eventstore.Engine.
func (s *EventStore) History(ctx context.Context) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.importing != nil {
		return "", eventstore.ErrNoHistory
	}
	return s.history, ctx.Err()
}

// Head implements eventstore.Engine.
func (s *EventStore) Head(ctx context.Context) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(len(s.events)), ctx.Err()
}

// StreamVersion implements eventstore.Engine.
func (s *EventStore) StreamVersion(ctx context.Context, stream string) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version(stream), ctx.Err()
}

func (s *EventStore) version(stream string) int64 { return int64(len(s.streams[stream])) - 1 }

// ReadStream implements eventstore.Engine.
func (s *EventStore) ReadStream(
	ctx context.Context, stream string, from int64, limit int,
) ([]event.Envelope, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page []event.Envelope
	for _, position := range section(s.streams[stream], from, limit) {
		page = append(page, s.events[position-1])
	}
	return page, nil
}

// ReadAll implements eventstore.Engine.
func (s *EventStore) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]event.Envelope(nil), upToBytes(section(s.events, after, limit))...), nil
}

// upToBytes cuts a page behind the event with which its payloads come to
// eventstore.PageBytes.
func upToBytes(page []event.Envelope) []event.Envelope {
	bytes := 0
	for i := range page {
		if bytes += len(page[i].Data); bytes >= eventstore.PageBytes {
			return page[:i+1]
		}
	}
	return page
}

// section returns up to limit elements from index from.
func section[T any](all []T, from int64, limit int) []T {
	from = min(max(from, 0), int64(len(all)))
	return all[from:min(from+int64(max(limit, 0)), int64(len(all)))]
}

// FindKey implements eventstore.Engine.
func (s *EventStore) FindKey(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.KeyRecord{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	record, ok := s.keys[key]
	if !ok {
		return eventstore.KeyRecord{}, eventstore.ErrKeyNotFound
	}
	return record, nil
}

// SaveSnapshot implements eventstore.Engine.
func (s *EventStore) SaveSnapshot(ctx context.Context, snapshot eventstore.Snapshot) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	snapshot.Data = bytes.Clone(snapshot.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots[snapshot.Stream] = snapshot
	return nil
}

// LoadSnapshot implements eventstore.Engine.
func (s *EventStore) LoadSnapshot(ctx context.Context, stream string) (eventstore.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Snapshot{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	snapshot, ok := s.snapshots[stream]
	if !ok {
		return eventstore.Snapshot{}, eventstore.ErrNoSnapshot
	}
	return snapshot, nil
}

// Append implements eventstore.Engine. Its only error is that ctx has ended,
// and then nothing is written.
func (s *EventStore) Append(
	ctx context.Context, first int64, group []eventstore.Commit,
) ([]eventstore.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", eventstore.ErrNotWritten, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	outcomes := make([]eventstore.Outcome, len(group))
	next := 0
	var refusal eventstore.Outcome
	if first == int64(len(s.events))+1 {
		next, refusal = s.writeFront(group, outcomes)
	}
	if s.findArrived(group[next:], outcomes[next:]) == 0 && next < len(group) {
		outcomes[next] = refusal
	}
	return outcomes, nil
}
