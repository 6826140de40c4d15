package mongodb

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// rivals are the events that other processes have written lately, as far as this
// one has met them. Who has lost a race reads what has won, all of it in one read:
// that tells the new head, which streams have moved, and which commits of the group
// are refused on that account, so that none of these has to be found out by the
// next attempt, and what to decide on instead. Where the network is slow every such
// attempt, and every look at what stood in its way, costs as much as a write.
type rivals struct {
	// met is the position up to which they were read. Used by Append only.
	met int64

	mu sync.Mutex
	// young and old hold the events; when young is full it becomes old, and old is
	// forgotten.
	young, old map[spot]event.Envelope
}

// spot is a place in a stream.
type spot struct {
	stream  string
	version int64
}

const (
	// rivalsMax is how many events each of the two generations holds.
	rivalsMax = 1 << 11
	// rivalsPage is how many events are read at once. Who is further behind than
	// that begins anew at the head: not to have met an event costs one attempt.
	rivalsPage = 1000
)

func newRivals() rivals { return rivals{met: unmet, young: make(map[spot]event.Envelope)} }

// unmet: nothing was read yet.
const unmet = -1

func (r *rivals) note(e event.Envelope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young) >= rivalsMax {
		r.old, r.young = r.young, make(map[spot]event.Envelope)
	}
	r.young[spot{e.Stream, e.Version}] = e
}

func (r *rivals) at(place spot) (e event.Envelope, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, known = r.young[place]; !known {
		e, known = r.old[place]
	}
	return e, known
}

// passed notes that the events between two positions are this process's own.
func (r *rivals) passed(first, last int64) {
	if r.met >= first-1 {
		r.met = max(r.met, last)
	}
}

// beat tells whether another event than the commit's own stands in its place. That
// is so for good: the commit is not in the store, and cannot get there.
func (r *rivals) beat(c *eventstore.Commit) bool {
	if len(c.Events) == 0 {
		return false
	}
	rival, known := r.at(spot{c.Stream, c.Expected + 1})
	return known && rival.ID != c.Events[0].ID
}

// Recent implements eventstore.Sharing.
func (s *EventStore) Recent(stream string, from int64) (events []event.Envelope) {
	for {
		e, known := s.rivals.at(spot{stream, from + int64(len(events))})
		if !known {
			return events
		}
		events = append(events, e)
	}
}

// meet reads what others have written since it was last read.
func (s *EventStore) meet(ctx context.Context) error {
	if s.rivals.met == unmet {
		s.rivals.met = s.memory.position()
	}
	filter := bson.D{
		{Key: fieldPosition, Value: bson.D{{Key: "$gt", Value: s.rivals.met}}},
		{Key: fieldWriter, Value: bson.D{{Key: "$ne", Value: s.writer}}},
	}
	with := options.Find().SetSort(ascending(fieldPosition)).SetHint(positionIndex).
		SetLimit(rivalsPage).SetBatchSize(rivalsPage).
		SetProjection(append(eventFields(), bson.E{Key: fieldWriter, Value: 1}))
	events := 0
	err := s.find(ctx, filter, with, func(d stored) bool {
		s.rivals.note(d.Envelope)
		s.rivals.met = max(s.rivals.met, d.Position)
		s.memory.saw(d.Stream, d.Version)
		s.memory.reached(d.Position)
		s.yield.met(d.writer)
		events++
		return true
	})
	if err != nil || events < rivalsPage {
		return err
	}
	s.rivals.met, err = s.Head(ctx)
	return err
}
