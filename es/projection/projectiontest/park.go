package projectiontest

import (
	"errors"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/projection"
)

// GapParksAndHeals leaves out an event: its stream is parked and the others
// flow, until it arrives; then everything that waited is applied with it.
func GapParksAndHeals[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Event("a", 0), h.Event("b", 0), h.Event("a", 2), h.Event("b", 1), h.Event("a", 3), h.Event("c", 1))
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 0))
	member.requireRow(t, db, "b", h.Events("b", 0, 1))
	member.requireRow(t, db, "c", nil)
	member.requireOnlyParked(t, "a", "c")
	member.requireParked(t, "a", projection.ReasonGap, 1, h.Events("a", 2, 3)...)
	member.requireParked(t, "c", projection.ReasonGap, 0, h.Event("c", 1))

	// Trying again does not help, and does not lose anything.
	flows, err := member.Redrive(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, flows)
	member.requireParked(t, "a", projection.ReasonGap, 1, h.Events("a", 2, 3)...)

	// What waits is repeated, and a second gap is behind the first.
	topic.Publish(0, h.Event("a", 2), h.Event("a", 0), h.Event("a", 5), h.Event("a", 1))
	member.Finish(t, topic, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 3))
	member.requireParked(t, "a", projection.ReasonGap, 4, h.Event("a", 5))

	// The missing one and what is behind it come in one run.
	topic.Publish(0, h.Event("a", 6), h.Event("a", 4), h.Event("a", 7))
	member.Finish(t, topic, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 7))
	topic.Publish(0, h.Event("c", 0), h.Event("c", 2))
	member.Finish(t, topic, 0)
	member.requireRow(t, db, "c", h.Events("c", 0, 2))
	member.requireOnlyParked(t)

	// Gap and missing event in one run.
	topic.Publish(0, h.Event("b", 3), h.Event("b", 2), h.Event("b", 4))
	member.Finish(t, topic, 0)
	member.requireRow(t, db, "b", h.Events("b", 0, 4))
	member.requireOnlyParked(t)
}

// DifferenceIsNotADuplicate has another event claim a version that was applied:
// at the head, below it, within one run, and behind one that waits.
func DifferenceIsNotADuplicate[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	member := NewMember(t, db)
	require.NoError(t, member.Join(t, topic, 0))
	for _, stream := range []string{"head", "below", "fine"} {
		topic.Publish(0, h.Events(stream, 0, 3)...)
	}
	member.Finish(t, topic, 0)
	topic.Publish(0, h.Other("head", 3), h.Other("below", 1), h.Event("head", 3), h.Event("below", 1), h.Event("fine", 3))
	topic.Publish(0, h.Event("head", 4), h.Event("below", 4), h.Event("fine", 4))
	member.Finish(t, topic, 0)
	topic.Publish(0, h.Event("run", 0), h.Other("run", 0), h.Event("run", 1))
	member.Finish(t, topic, 0)
	topic.Publish(0, h.Event("wait", 1), h.Other("wait", 1), h.Event("wait", 2), h.Event("wait", 0))
	member.Finish(t, topic, 0)
	topic.Publish(0, h.Event("both", 0), h.Event("both", 2), h.Other("both", 0), h.Event("both", 1))
	member.Finish(t, topic, 0)

	topic.Publish(0, h.Event("told", 0), h.Event("told", 2), h.Other("told", 0))
	member.Finish(t, topic, 0)

	different := func(stream string, applied int64, at event.Envelope, queue ...event.Envelope) {
		member.requireRow(t, db, stream, h.Events(stream, 0, applied))
		member.requireParked(t, stream, projection.ReasonDifference, at.Version, queue...)
		parked, _, err := member.ParkedStream(t.Context(), stream, 1)
		require.NoError(t, err)
		require.Equal(t, at.ID, parked.EventID)
	}
	for range 2 {
		different("head", 3, h.Other("head", 3), h.Other("head", 3), h.Event("head", 4))
		different("below", 3, h.Other("below", 1), h.Other("below", 1), h.Event("below", 4))
		different("run", 0, h.Other("run", 0), h.Other("run", 0), h.Event("run", 1))
		different("wait", 1, h.Other("wait", 1), h.Other("wait", 1), h.Event("wait", 2))
		different("both", 0, h.Other("both", 0), h.Other("both", 0), h.Event("both", 1), h.Event("both", 2))
		different("told", 0, h.Other("told", 0), h.Other("told", 0), h.Event("told", 2))
		member.requireOnlyParked(t, "below", "both", "head", "run", "told", "wait")
		member.requireRow(t, db, "fine", h.Events("fine", 0, 4))

		// No program and no repetition can tell which of the two is right.
		flowing, err := member.RedriveAll(t.Context())
		require.NoError(t, err)
		require.Zero(t, flowing)
	}
}

// UnapplicableParksOneStream has a model that cannot apply two events of one
// run, and says so in each of the ways that it may: those two streams are
// parked from there on, in order, and go on with a program that can.
func UnapplicableParksOneStream[Tx any](t T, db Database[Tx]) {
	why := errors.New("planted")
	ways := map[string]func(e event.Envelope) error{
		"named":  func(e event.Envelope) error { return projection.NewUnapplicable(e, why) },
		"joined": func(e event.Envelope) error { return errors.Join(why, projection.NewUnapplicable(e, why)) },
		"type":   func(event.Envelope) error { return event.ErrUnknownType },
		"bytes":  func(event.Envelope) error { return event.ErrMalformed },
	}
	for name, way := range ways {
		unapplicable(t, db, name, way)
	}
}

func unapplicable[Tx any](t T, db Database[Tx], name string, way func(e event.Envelope) error) {
	topic := NewTopic("topic of "+name, 1, NewHistory("history"))
	h, a, b, c := topic.History, name+" a", name+" b", name+" c"
	topic.Publish(0, h.Event(a, 0), h.Event(b, 0), h.Event(c, 0))
	topic.Publish(0, h.Event(a, 1), h.Event(b, 1), h.Event(c, 1))
	topic.Publish(0, h.Event(b, 2), h.Event(a, 2), h.Event(c, 2), h.Event(a, 3))
	fails := map[string]bool{h.Event(a, 1).ID: true, h.Event(b, 1).ID: true, h.Event(a, 3).ID: true}
	member := NewMemberOf(t, db, db.Open(t), Tally[Tx]{Rows: db.Rows, Fails: func(e event.Envelope) error {
		if fails[e.ID] {
			return way(e)
		}
		return nil
	}})
	requireWaits := func() {
		member.requireRow(t, db, a, h.Events(a, 0, 0))
		member.requireRow(t, db, b, h.Events(b, 0, 0))
		member.requireRow(t, db, c, h.Events(c, 0, 2))
		member.requireParked(t, a, projection.ReasonUnapplicable, 1, h.Events(a, 1, 3)...)
		member.requireParked(t, b, projection.ReasonUnapplicable, 1, h.Events(b, 1, 2)...)
		member.requireOnlyParked(t, a, b)
	}
	require.NoError(t, member.Join(t, topic, 0))
	require.NoError(t, member.Take(t, topic.Run(0, 0, 100)))
	requireWaits()
	_, err := member.RedriveAll(t.Context())
	require.NoError(t, err)
	requireWaits()
	topic.Publish(0, h.Event(b, 0), h.Event(b, 1), h.Event(a, 2)) // repeated
	member.Finish(t, topic, 0)
	requireWaits()

	// A program that knows more, but not everything.
	delete(fails, h.Event(a, 1).ID)
	delete(fails, h.Event(b, 1).ID)
	flowing, err := member.RedriveAll(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, flowing)
	member.requireParked(t, a, projection.ReasonUnapplicable, 3, h.Event(a, 3))
	member.requireOnlyParked(t, a)
	clear(fails)
	flows, err := member.Redrive(t.Context(), a)
	require.NoError(t, err)
	require.True(t, flows)
	member.requireRow(t, db, a, h.Events(a, 0, 3))
	member.requireRow(t, db, b, h.Events(b, 0, 2))
	member.requireOnlyParked(t)
	_, err = member.Redrive(t.Context(), a)
	require.ErrorIs(t, err, projection.ErrNotParked)
}

// LongQueueDrains heals a stream with more events in its queue than one
// transaction takes: it goes on, visibly, while new ones arrive behind.
func LongQueueDrains[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Event("a", 0))
	topic.Publish(0, h.Events("a", 2, 30)...)
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)
	member.requireParked(t, "a", projection.ReasonGap, 1, h.Events("a", 2, 30)...)

	topic.Publish(0, h.Event("a", 1))
	member.Step(t, topic, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 4))
	member.requireParked(t, "a", projection.ReasonDraining, 5, h.Events("a", 5, 30)...)

	topic.Publish(0, h.Event("a", 31), h.Event("b", 0), h.Event("a", 32))
	member.Step(t, topic, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 8)) // as much again, once
	member.requireRow(t, db, "b", h.Events("b", 0, 0))
	member.requireParked(t, "a", projection.ReasonDraining, 9, h.Events("a", 9, 32)...)

	flows, err := member.Redrive(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, flows)
	member.requireRow(t, db, "a", h.Events("a", 0, 32))
	member.requireOnlyParked(t)
}
