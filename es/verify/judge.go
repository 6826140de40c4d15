package verify

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/event"
)

// verdict is what a record is, where another one is expected.
type verdict int

const (
	// isThis: it is the expected event, altered.
	isThis verdict = iota
	// isAhead: it is an event whose turn comes later, so the expected one is not
	// at its place.
	isAhead
	// isOther: it is something else, and was told of.
	isOther
)

// judge looks at a record that is not the expected event e as it should be. It
// believes nothing that the record says of itself before the store says the
// same: one altered position must not make all events behind it look missing.
func (c *cursor) judge(ctx context.Context, r *found, e event.Envelope) (verdict, error) {
	if r.ahead {
		return isAhead, nil
	}
	s, isThere, err := c.lookUp(ctx, r.Position)
	if err != nil {
		return isOther, err
	}
	switch {
	case isThere && s.ID == r.ID && c.isHere(s):
		if s.Position > e.Position {
			r.ahead = true
			return isAhead, nil
		}
		c.behind(r, s)
		return isOther, nil
	case r.ID == e.ID, r.Stream == e.Stream && r.Version == e.Version, r.Position == e.Position:
		return isThis, nil
	}
	c.invented(r, s, isThere)
	return isOther, nil
}

// drain deals with the records behind the store's last event.
func (c *cursor) drain(ctx context.Context) error {
	for {
		r, err := c.peek()
		if err != nil || r == nil {
			return err
		}
		s, isThere, err := c.lookUp(ctx, r.Position)
		if err != nil {
			return err
		}
		if isThere && s.ID == r.ID && c.isHere(s) {
			c.behind(r, s)
		} else {
			c.invented(r, s, isThere)
		}
		c.drop()
	}
}

func (c *cursor) isHere(e event.Envelope) bool {
	return bus.Partition(e.Stream, c.topic.Partitions) == c.partition
}

// behind deals with a record of the store's event s whose turn is over: it
// repeats one, or comes late.
func (c *cursor) behind(r *found, s event.Envelope) {
	if c.lacks.remove(s.Position) {
		c.comesLate(r, s)
	} else {
		c.report.Repeats++
	}
	if faults := recordFaults(c.history, r.record.Message, s); faults != "" {
		c.report.differ(of(InFeed, Altered, s, "%s", faults).at(c.partition, r.record.Offset))
	}
}

// comesLate deals with the first record of an event that was not at its place.
func (c *cursor) comesLate(r *found, s event.Envelope) {
	if r.record.Offset >= c.before {
		c.late.insert(s.Position)
		c.report.ReadModelLag++
	}
	if c.bounds.First > 0 {
		c.inserted++ // its place was deleted
		return
	}
	c.report.differ(of(InFeed, Reordered, s, "event %s lies behind position %d, a later event of its partition",
		s.ID, c.placed).at(c.partition, r.record.Offset))
}

// invented tells of a record for which the store has no event; s is what it has
// at that position.
func (c *cursor) invented(r *found, s event.Envelope, isThere bool) {
	instead := "nothing"
	if isThere {
		instead = fmt.Sprintf("event %s of stream %s, version %d", s.ID, s.Stream, s.Version)
	}
	c.report.differ(of(InFeed, Invented, r.Envelope, "the record is event %s, the store has %s at that position", r.ID, instead).
		at(c.partition, r.record.Offset))
}

// repeatedPage is how many events are read at once where records repeat others:
// repeats mostly come in rows.
const repeatedPage = 100

// lookUp returns the store's event at a position.
func (c *cursor) lookUp(ctx context.Context, position int64) (event.Envelope, bool, error) {
	for again := true; ; again = false {
		for _, e := range c.repeated {
			if e.Position == position {
				return e, true, nil
			}
		}
		if !again {
			return event.Envelope{}, false, nil
		}
		var err error
		if c.repeated, err = c.Store.ReadAll(ctx, position-1, repeatedPage); err != nil {
			return event.Envelope{}, false, fmt.Errorf("event store: read position %d: %w", position, err)
		}
	}
}
