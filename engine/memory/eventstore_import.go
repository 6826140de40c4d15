package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"passbook/es/event"
	"passbook/es/eventstore"
)

var (
	_ eventstore.KeySource = (*EventStore)(nil)
	_ eventstore.Renewer   = (*EventStore)(nil)
	_ eventstore.Filler    = (*EventStore)(nil)
)

// Keys implements eventstore.KeySource. What it yields is of the moment of the
// call.
func (s *EventStore) Keys(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
	return func(yield func(eventstore.KeyRecord, error) bool) {
		for _, record := range s.keysUpTo(upTo) {
			if err := ctx.Err(); err != nil {
				yield(eventstore.KeyRecord{}, err)
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

func (s *EventStore) keysUpTo(upTo int64) []eventstore.KeyRecord {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var records []eventstore.KeyRecord
	for _, record := range s.keys {
		if record.Position <= upTo {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b eventstore.KeyRecord) int { return int(a.Position - b.Position) })
	return records
}

// Renew implements eventstore.Renewer.
func (s *EventStore) Renew(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.importing != nil {
		return "", eventstore.ErrNoHistory
	}
	s.history = event.NewID()
	return s.history, nil
}

// BeginImport implements eventstore.Filler.
func (s *EventStore) BeginImport(ctx context.Context, source string) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.importing != nil && *s.importing != source:
		return 0, eventstore.ErrOtherImport
	case s.importing == nil && len(s.events) > 0:
		return 0, eventstore.ErrNotEmpty
	}
	s.importing = &source
	return int64(len(s.events)), nil
}

var errNoImport = errors.New("no import is under way")

// ImportEvents implements eventstore.Filler.
func (s *EventStore) ImportEvents(
	ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.importing == nil {
		return errNoImport
	}
	if head := int64(len(s.events)); len(events) > 0 && events[0].Position != head+1 {
		return fmt.Errorf("position %d does not follow on %d", events[0].Position, head)
	}
	for _, e := range events {
		s.insert(e)
	}
	for _, record := range keys {
		record.RequestHash, record.Result = bytes.Clone(record.RequestHash), bytes.Clone(record.Result)
		s.keys[record.Key] = record
	}
	return nil
}

// EndImport implements eventstore.Filler.
func (s *EventStore) EndImport(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.importing == nil {
		return "", errNoImport
	}
	s.importing, s.history = nil, event.NewID()
	return s.history, nil
}
