package projection

import (
	"slices"
	"time"

	"passbook/es/event"
)

// Discarded is an event that was passed over on somebody's word: it was in the
// way of its stream, and will never be applied. It is remembered for ever, by
// consumer and event id, beside the tables that a rebuild replaces: a read model
// that is built anew passes over it too. Whoever repeats it, it is a duplicate.
//
// Where nothing else was applied at its version, the stream goes on behind it
// as if it had been: see Model.Apply.
type Discarded struct {
	Stream  string
	Version int64
	EventID string
	// Reason is what the person gave as one, By who that was; empty without
	// authentication.
	Reason, By string
	// At is the engine's own clock, in UTC.
	At time.Time
}

// discards are the ids of discarded events, by their places.
type discards map[Ref][]string

func newDiscards(all []Discarded) discards {
	byRef := make(discards, len(all))
	for _, d := range all {
		ref := Ref{Stream: d.Stream, Version: d.Version}
		byRef[ref] = append(byRef[ref], d.EventID)
	}
	return byRef
}

func (d discards) has(e event.Envelope) bool { return slices.Contains(d[refOf(e)], e.ID) }

// reach returns the version up to which nothing is missing behind version but
// what was discarded.
func (d discards) reach(stream string, version int64) int64 {
	for len(d[Ref{Stream: stream, Version: version + 1}]) > 0 {
		version++
	}
	return version
}
