package memory

import (
	"bytes"
	"fmt"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// writeFront writes commits until one cannot be written. It returns how many
// those are, and why the next was refused.
func (s *EventStore) writeFront(
	group []eventstore.Commit, outcomes []eventstore.Outcome,
) (written int, refusal eventstore.Outcome) {
	for i := range group {
		outcome := s.check(&group[i])
		if outcome.State != eventstore.Written {
			return i, outcome
		}
		outcomes[i] = outcome
		s.write(&group[i])
	}
	return len(group), refusal
}

// findArrived marks as written what an earlier attempt has brought into the
// store, and returns how much of the group's front that is.
func (s *EventStore) findArrived(group []eventstore.Commit, outcomes []eventstore.Outcome) (settled int) {
	for i := range group {
		c := &group[i]
		if len(c.Events) == 0 {
			continue // decided by what stands behind it
		}
		position, ok := s.ids[c.Events[0].ID]
		if !ok || !sameEvent(&s.events[position-1], c) {
			break
		}
		for ; settled < i; settled++ {
			outcomes[settled] = eventstore.Outcome{State: eventstore.Written}
		}
		outcomes[i] = eventstore.Outcome{State: eventstore.Written, Position: position}
		settled = i + 1
	}
	return settled
}

func sameEvent(stored *event.Envelope, c *eventstore.Commit) bool {
	return stored.Stream == c.Stream && stored.Version == c.Expected+1
}

// check says what becomes of a commit that would be written now.
func (s *EventStore) check(c *eventstore.Commit) eventstore.Outcome {
	if prior, ok := s.keys[c.Key]; ok && !c.Key.IsZero() {
		return eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}
	}
	if actual := s.version(c.Stream); actual != c.Expected {
		return eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
	}
	own := make(map[string]bool, len(c.Events))
	for _, e := range c.Events {
		if _, taken := s.ids[e.ID]; taken || own[e.ID] {
			reason := fmt.Sprintf("event id %s is taken", e.ID)
			return eventstore.Outcome{State: eventstore.Rejected, Reason: reason}
		}
		own[e.ID] = true
	}
	outcome := eventstore.Outcome{State: eventstore.Written}
	if len(c.Events) > 0 {
		outcome.Position = int64(len(s.events)) + 1
	}
	return outcome
}

// write takes in a commit that was checked.
func (s *EventStore) write(c *eventstore.Commit) {
	for _, e := range c.Events {
		e.Position = int64(len(s.events)) + 1
		s.insert(e)
	}
	if c.Key.IsZero() {
		return
	}
	s.keys[c.Key] = eventstore.KeyRecord{
		Key: c.Key, RequestHash: bytes.Clone(c.RequestHash), Result: bytes.Clone(c.Result),
		Stream: c.Stream, Version: s.version(c.Stream), Position: int64(len(s.events)),
	}
}

// insert takes in an event at the position behind the last one.
func (s *EventStore) insert(e event.Envelope) {
	e.Data = bytes.Clone(e.Data)
	s.events = append(s.events, e)
	s.streams[e.Stream] = append(s.streams[e.Stream], e.Position)
	s.ids[e.ID] = e.Position
}
