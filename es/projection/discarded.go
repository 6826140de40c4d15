package projection

import "time"

// Discarded is an event that was passed over on somebody's word: it was in the
// way of its stream, and will never be applied. It is remembered for ever, by
// consumer and event id, beside the tables that a rebuild replaces: a read model
// that is built anew passes over it too.
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
