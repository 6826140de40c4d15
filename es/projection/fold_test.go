package projection_test

import (
	"slices"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
)

// fold is what a projection is to come to, done in the simplest way: one record
// at a time, in memory, without batches, transactions or failures.
type fold struct {
	streams map[string]*folded
	poison  map[string]bool
}

type folded struct {
	ids    []string
	reason projection.Reason // "" while the stream flows
	at     int64
	queue  []event.Envelope
}

func (f *fold) stream(name string) *folded {
	if f.streams[name] == nil {
		f.streams[name] = &folded{}
	}
	return f.streams[name]
}

// knows tells whether a record was taken before; what is no event counts so.
func (f *fold) knows(r bus.Record) bool {
	_, e, err := bus.Decode(r.Message)
	if err != nil {
		return true
	}
	s := f.stream(e.Stream)
	return slices.Contains(s.ids, e.ID) ||
		slices.ContainsFunc(s.queue, func(q event.Envelope) bool { return q.ID == e.ID })
}

func (f *fold) take(r bus.Record) {
	_, e, err := bus.Decode(r.Message)
	if err != nil {
		return
	}
	s := f.stream(e.Stream)
	isNew := !slices.ContainsFunc(s.queue, func(q event.Envelope) bool { return q.ID == e.ID })
	head := int64(len(s.ids)) - 1
	switch {
	case e.Version <= head && s.ids[e.Version] == e.ID: // a duplicate
	case s.reason == "":
		s.queue = []event.Envelope{e}
		f.redrive(e.Stream)
	case isNew:
		behind := slices.IndexFunc(s.queue, func(q event.Envelope) bool { return q.Version > e.Version })
		if behind < 0 {
			behind = len(s.queue)
		}
		s.queue = slices.Insert(s.queue, behind, e)
		fallthrough
	default:
		if s.reason == projection.ReasonGap && e.Version <= s.at {
			f.redrive(e.Stream)
		}
	}
}

// redrive applies the queue as far as it goes.
func (f *fold) redrive(name string) {
	s := f.stream(name)
	for len(s.queue) > 0 {
		e, head := s.queue[0], int64(len(s.ids))-1
		switch {
		case e.Version > head+1:
			s.reason, s.at = projection.ReasonGap, head+1
			return
		case e.Version == head+1 && f.poison[e.ID]:
			s.reason, s.at = projection.ReasonUnapplicable, e.Version
			return
		case e.Version == head+1:
			s.ids = append(s.ids, e.ID)
		case s.ids[e.Version] != e.ID:
			s.reason, s.at = projection.ReasonDifference, e.Version
			return
		}
		s.queue = s.queue[1:]
	}
	s.reason, s.at, s.queue = "", 0, nil
}
