package projectiontest

import (
	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// RedeliveryFromTheBeginning reads a topic that repeats itself, by a member
// that has lost its checkpoint's trust, and then by one that begins in the
// middle of what it knows.
func RedeliveryFromTheBeginning[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Events("a", 0, 4)...)
	topic.Publish(0, h.Events("b", 0, 1)...)
	topic.Publish(0, h.Events("a", 2, 5)...) // a relay that began again
	topic.Publish(0, h.Events("b", 0, 3)...)
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)
	require.Equal(t, int64(6+4), member.Status().Counts.Applied)
	require.Equal(t, int64(3+2), member.Status().Counts.Duplicates)

	update(t, member.Store, func(tx Tx) error {
		ctx := t.Context()
		lost, err := member.Store.LockCheckpoints(ctx, tx, consumer, 0)
		require.NoError(t, err)
		lost[0].EventID, lost[0].Next = "", 0
		return member.Store.SaveCheckpoints(ctx, tx, consumer, lost...)
	})
	topic.Publish(0, h.Event("a", 6))
	again := NewMember(t, db)
	again.TakeOver(t, topic, 0)
	require.Equal(t, int64(1), again.Status().Counts.Applied)
	again.requireRow(t, db, "a", h.Events("a", 0, 6))
	again.requireRow(t, db, "b", h.Events("b", 0, 3))
	again.requireAt(t, topic, 0, 16, h.Event("a", 6))
	again.requireOnlyParked(t)

	// Repetitions of what the same run has brought.
	topic.Publish(0, h.Event("c", 0), h.Event("c", 1), h.Event("c", 0), h.Event("c", 1))
	require.NoError(t, again.Take(t, topic.Run(0, 16, 4)))
	again.requireRow(t, db, "c", h.Events("c", 0, 1))
	again.requireOnlyParked(t)

	// The bus repeats a run after an error that the member did not see.
	require.NoError(t, again.Take(t, topic.Run(0, 2, runMax)))
	require.Equal(t, int64(20), again.next[0])
	again.requireAt(t, topic, 0, 20, h.Event("c", 1))
}

// TopicMadeAgain deletes the topic and publishes everything again: fewer
// records, other offsets, and some that nobody has read yet.
func TopicMadeAgain[Tx any](t T, db Database[Tx]) {
	before := NewTopic("first life", 2, NewHistory("history"))
	h := before.History
	before.Publish(0, h.Events("a", 0, 9)...)
	before.Skip(0, 5)
	before.Append(0, bus.Message{Key: "not an event"})
	before.Publish(1, h.Events("b", 0, 2)...)
	member := NewMember(t, db)
	member.TakeOver(t, before, 0)
	member.TakeOver(t, before, 1)
	member.requireAt(t, before, 0, 10, h.Event("a", 9))
	require.Equal(t, int64(1), member.Status().Counts.Foreign)

	after := NewTopic("second life", 2, h)
	after.Publish(0, h.Events("a", 0, 11)...)
	after.Publish(1, h.Events("b", 0, 3)...)
	after.Publish(0, h.Event("c", 0))
	// A member that learns of it by a new assignment, and one that starts.
	member.TakeOver(t, after, 0)
	late := NewMember(t, db)
	late.TakeOver(t, after, 1)
	member.requireRow(t, db, "a", h.Events("a", 0, 11))
	member.requireRow(t, db, "b", h.Events("b", 0, 3))
	member.requireRow(t, db, "c", h.Events("c", 0, 0))
	member.requireAt(t, after, 0, 13, h.Event("c", 0))
	member.requireAt(t, after, 1, 4, h.Event("b", 3))
	require.Equal(t, int64(1), member.Status().Counts.Rewinds)
	member.requireOnlyParked(t)

	// One that still has the old topic in its hands does no harm.
	require.Error(t, member.Take(t, before.Run(0, 8, runMax)))
	member.requireAt(t, after, 0, 13, h.Event("c", 0))
}

// LostTailUnderConsumer has the broker forget acknowledged records that were
// consumed, so that the relay publishes them again: the topic's id stays, its
// offsets mean something else.
func LostTailUnderConsumer[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Events("a", 0, 5)...)
	topic.Publish(0, h.Event("a", 5), h.Event("b", 0), h.Event("b", 1))
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)
	member.requireAt(t, topic, 0, 9, h.Event("b", 1))

	// The checkpoint is behind the end now.
	topic.Cut(0, 4)
	shorter := NewMember(t, db)
	shorter.TakeOver(t, topic, 0)
	require.Equal(t, int64(1), shorter.Status().Counts.Rewinds)
	require.Equal(t, int64(4), shorter.Status().Counts.Duplicates)
	shorter.requireAt(t, topic, 0, 4, h.Event("a", 3))

	// Another one has the place of the record before the checkpoint: what was
	// published after it begins one offset earlier than the checkpoint is.
	topic.Publish(0, h.Events("a", 4, 5)...)
	topic.Publish(0, h.Events("b", 0, 1)...)
	shorter.Finish(t, topic, 0)
	topic.Cut(0, 4)
	topic.Publish(0, h.Event("a", 4), h.Event("a", 5), h.Event("b", 0), h.Event("c", 0), h.Event("b", 1), h.Event("b", 2))
	last := NewMember(t, db)
	last.TakeOver(t, topic, 0)
	require.Equal(t, int64(1), last.Status().Counts.Rewinds)
	last.requireRow(t, db, "a", h.Events("a", 0, 5))
	last.requireRow(t, db, "b", h.Events("b", 0, 2))
	last.requireRow(t, db, "c", h.Events("c", 0, 0))
	last.requireOnlyParked(t)
}
