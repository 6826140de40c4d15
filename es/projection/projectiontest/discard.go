package projectiontest

import (
	"errors"
	"strings"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/projection"
)

// DiscardPassesOver discards an event that cannot be applied: its stream goes on
// behind it, and however often the event comes again, it is a duplicate.
func DiscardPassesOver[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	broken := map[string]bool{h.Event("a", 1).ID: true, h.Event("a", 4).ID: true, h.Event("first", 0).ID: true}
	member := NewMemberOf(t, db, db.Open(t), Tally[Tx]{Rows: db.Rows, Fails: func(e event.Envelope) error {
		if broken[e.ID] {
			return projection.NewUnapplicable(e, errPlanted)
		}
		return nil
	}})
	topic.Publish(0, h.Events("a", 0, 1)...)
	topic.Publish(0, h.Event("first", 0), h.Event("b", 0))
	member.TakeOver(t, topic, 0)
	member.requireOnlyParked(t, "a", "first")

	// Nothing waits behind it, so that the head stays where it is.
	member.discard(t, "a", 1, true)
	member.requireOnlyParked(t, "first")
	topic.Publish(0, h.Event("a", 1))
	member.Finish(t, topic, 0)
	member.requireHoles(t, db, "a", h.Event("a", 0))
	member.requireOnlyParked(t, "first")

	topic.Publish(0, h.Events("a", 2, 6)...)
	topic.Publish(0, h.Event("a", 1), h.Event("first", 2), h.Event("first", 1))
	member.Finish(t, topic, 0)
	member.requireHoles(t, db, "a", h.Event("a", 0), h.Event("a", 2), h.Event("a", 3))
	member.requireParked(t, "a", projection.ReasonUnapplicable, 4, h.Events("a", 4, 6)...)
	member.discard(t, "a", 4, true)
	a := []event.Envelope{h.Event("a", 0), h.Event("a", 2), h.Event("a", 3), h.Event("a", 5), h.Event("a", 6)}
	member.requireHoles(t, db, "a", a...)
	member.discard(t, "first", 0, true)
	member.requireHoles(t, db, "first", h.Events("first", 1, 2)...)

	// A program that could apply them does not: read from the beginning, and by
	// a model that is built anew.
	clear(broken)
	for _, forget := range []bool{false, true} {
		if forget {
			forgetRows(t, db, "a", "first", "b")
		}
		topic.ID += " again"
		member.TakeOver(t, topic, 0)
		member.requireHoles(t, db, "a", a...)
		member.requireHoles(t, db, "first", h.Events("first", 1, 2)...)
		member.requireHoles(t, db, "b", h.Event("b", 0))
		member.requireOnlyParked(t)
	}
	discards, err := member.Discards(t.Context(), projection.Discarded{}, 10)
	require.NoError(t, err)
	require.Equal(t, []projection.Discarded{
		{Stream: "a", Version: 1, EventID: "a-1", Reason: "why", By: "who"},
		{Stream: "a", Version: 4, EventID: "a-4", Reason: "why", By: "who"},
		{Stream: "first", Version: 0, EventID: "first-0", Reason: "why", By: "who"},
	}, plain(discards))
}

// DiscardSettlesDifference discards the other events that claim a version, one
// after the other, and no other.
func DiscardSettlesDifference[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	third := h.Other("a", 1)
	third.ID += "-still"
	topic.Publish(0, h.Events("a", 0, 2)...)
	topic.Publish(0, h.Other("a", 1), third, h.Event("a", 3))
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)
	member.requireParked(t, "a", projection.ReasonDifference, 1, h.Other("a", 1), third, h.Event("a", 3))
	member.discard(t, "a", 1, false)
	member.requireParked(t, "a", projection.ReasonDifference, 1, third, h.Event("a", 3))
	member.discard(t, "a", 1, true)
	member.requireRow(t, db, "a", h.Events("a", 0, 3))

	// A model that is built anew meets the wrong one first, and takes the right
	// one: that it was applied once is not known there.
	forgetRows(t, db, "a")
	other := NewTopic("another topic", 1, h)
	other.Publish(0, h.Event("a", 0), h.Other("a", 1), h.Event("a", 1), third, h.Event("a", 2), h.Event("a", 3))
	member.TakeOver(t, other, 0)
	member.requireRow(t, db, "a", h.Events("a", 0, 3))
	member.requireOnlyParked(t)
}

// DiscardRefuses has nothing discarded that is not in the way.
func DiscardRefuses[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	member := NewMemberOf(t, db, db.Open(t), Tally[Tx]{Rows: db.Rows, Fails: func(e event.Envelope) error {
		if e.Stream == "a" {
			return projection.NewUnapplicable(e, errPlanted)
		}
		return nil
	}})
	topic.Publish(0, h.Event("a", 0), h.Event("a", 1), h.Event("gap", 1), h.Event("fine", 0))
	member.TakeOver(t, topic, 0)
	discard := func(stream string, version int64, reason string) error {
		_, err := member.Discard(t.Context(), stream, version, reason, "")
		require.Error(t, err)
		return err
	}
	for _, reason := range []string{"", "  ", "a\nb", strings.Repeat("ä", 201), "\xff"} {
		require.ErrorIs(t, discard("a", 0, reason), projection.ErrReason, "%q", reason)
	}
	require.ErrorIs(t, discard("fine", 0, "why"), projection.ErrNotParked)
	require.ErrorIs(t, discard("nobody", 0, "why"), projection.ErrNotParked)
	for stream, versions := range map[string][]int64{"a": {-1, 1, 2}, "gap": {0, 1}} {
		for _, version := range versions {
			err, ok := errors.AsType[*projection.NotInTheWayError](discard(stream, version, "why"))
			require.True(t, ok)
			require.Equal(t, version, err.Version)
			require.Equal(t, stream == "gap", err.Missing())
			require.Equal(t, int64(0), err.Parked.Version)
		}
	}
	member.requireParked(t, "a", projection.ReasonUnapplicable, 0, h.Events("a", 0, 1)...)
	member.requireParked(t, "gap", projection.ReasonGap, 0, h.Event("gap", 1))
	discards, err := member.Discards(t.Context(), projection.Discarded{}, 10)
	require.NoError(t, err)
	require.Empty(t, discards)

	// 200 characters are not too many; the next one is in the way then.
	flows, err := member.Discard(t.Context(), "a", 0, strings.Repeat("ä", 200), "")
	require.NoError(t, err)
	require.False(t, flows)
	member.requireParked(t, "a", projection.ReasonUnapplicable, 1, h.Event("a", 1))
}

// DiscardDrains discards before a queue that one transaction cannot take, with a
// gap behind it; what the gap waits for is behind the hole.
func DiscardDrains[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	member := NewMemberOf(t, db, db.Open(t), Tally[Tx]{Rows: db.Rows, Fails: func(e event.Envelope) error {
		if e.Version == 0 || e.Version == 12 {
			return projection.NewUnapplicable(e, errPlanted)
		}
		return nil
	}})
	topic.Publish(0, h.Events("a", 0, 12)...)
	topic.Publish(0, h.Event("a", 14))
	member.TakeOver(t, topic, 0)
	member.discard(t, "a", 0, false)
	member.requireParked(t, "a", projection.ReasonUnapplicable, 12, h.Event("a", 12), h.Event("a", 14))

	member.discard(t, "a", 12, false)
	member.requireParked(t, "a", projection.ReasonGap, 13, h.Event("a", 14))
	topic.Publish(0, h.Event("a", 13))
	member.Finish(t, topic, 0)
	member.requireOnlyParked(t)
	member.requireHoles(t, db, "a", append(h.Events("a", 1, 11), h.Events("a", 13, 14)...)...)
}

// discard discards an event that is in the way.
func (m *Member[Tx]) discard(t T, stream string, version int64, flows bool) {
	t.Helper()
	got, err := m.Discard(t.Context(), stream, version, "why", "who")
	require.NoError(t, err)
	require.Equal(t, flows, got)
	_, _, err = m.ParkedStream(t.Context(), stream, 0)
	require.Equal(t, flows, errors.Is(err, projection.ErrNotParked))
}

// requireHoles wants the row of a stream to be the fold of exactly these events,
// with nothing at the versions between.
func (m *Member[Tx]) requireHoles(t T, db Database[Tx], stream string, events ...event.Envelope) {
	t.Helper()
	var want Row
	for _, e := range events {
		hole := make([]string, e.Version-int64(len(want.IDs)))
		want.IDs = append(append(want.IDs, hole...), e.ID)
		want.Sum += 1 << min(e.Version, 40)
	}
	require.Equal(t, want, m.Row(t, db, stream), "row of stream %s", stream)
}

// forgetRows empties rows of the read model, as one that is built anew has them.
func forgetRows[Tx any](t T, db Database[Tx], keys ...string) {
	t.Helper()
	update(t, db.Open(t), func(tx Tx) error {
		for _, key := range keys {
			old, err := db.Rows.Get(t.Context(), tx, key)
			require.NoError(t, err)
			swapped, err := db.Rows.Swap(t.Context(), tx, key, old, "{}")
			require.NoError(t, err)
			require.True(t, swapped)
		}
		return nil
	})
}
