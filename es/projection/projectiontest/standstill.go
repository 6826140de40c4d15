package projectiontest

import (
	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// FeedTruncated takes away the front of a topic: where it was consumed before,
// nothing is missing; where it was not, nothing is applied, visibly.
func FeedTruncated[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Events("a", 0, 9)...)
	whole := topic.Clone()
	topic.Truncate(0, 2)
	fresh := NewMember(t, db)
	requireStands(t, fresh, topic, projection.ErrFeedTruncated)
	require.Equal(t, checkpoint.Progress{}, fresh.Checkpoint(t, 0))

	reader := NewMember(t, db)
	require.NoError(t, reader.Join(t, whole, 0))
	reader.Step(t, whole, 0)
	reader.Step(t, whole, 0)
	reader.requireAt(t, whole, 0, 6, h.Event("a", 5))

	topic.Truncate(0, 7) // one that was never read is gone
	requireStands(t, NewMember(t, db), topic, projection.ErrFeedTruncated)

	other := NewTopic("other", 1, h) // one that cannot be read from its beginning
	other.Publish(0, h.Events("a", 0, 9)...)
	other.Truncate(0, 1)
	requireStands(t, NewMember(t, db), other, projection.ErrFeedTruncated)

	spoiled := NewTopic("topic", 1, h) // nor can this one, and the records differ
	spoiled.Publish(0, h.Event("z", 0))
	spoiled.Publish(0, h.Events("a", 0, 8)...)
	spoiled.Truncate(0, 1)
	distrustful := NewMember(t, db)
	require.NoError(t, distrustful.Join(t, spoiled, 0))
	for range 2 {
		require.ErrorIs(t, distrustful.Take(t, spoiled.Run(0, distrustful.next[0], runMax)), projection.ErrFeedTruncated)
		require.ErrorIs(t, distrustful.Status().Partitions[0].Err, projection.ErrFeedTruncated)
	}
	reader.requireRow(t, db, "a", h.Events("a", 0, 5))
	reader.requireAt(t, whole, 0, 6, h.Event("a", 5))

	whole.Truncate(0, 6) // all that is gone was consumed
	covered := NewMember(t, db)
	covered.TakeOver(t, whole, 0)
	covered.requireRow(t, db, "a", h.Events("a", 0, 9))
	require.NoError(t, covered.Status().Partitions[0].Err)
}

// requireStands wants the assignment to be refused, as often as it comes, and
// records that come all the same to be refused too.
func requireStands[Tx any](t T, member *Member[Tx], topic *Topic, want error) {
	t.Helper()
	for range 2 {
		require.ErrorIs(t, member.Join(t, topic, 0), want)
		require.ErrorIs(t, member.Status().Partitions[0].Err, want)
		require.Error(t, member.Take(t, topic.Run(0, 0, runMax)))
	}
}

// OtherHistory gives a consumer the events of a store that was put back from a
// back-up: whatever their versions and positions say, they are not the next
// ones.
func OtherHistory[Tx any](t T, db Database[Tx]) {
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Events("a", 0, 3)...)
	member := NewMember(t, db)
	member.TakeOver(t, topic, 0)

	// In the same topic, behind an event that is still of the old one.
	back := NewHistory("put back")
	topic.Publish(0, h.Event("a", 4))
	topic.History = back
	topic.Publish(0, back.Events("a", 5, 6)...)
	member.Step(t, topic, 0)
	topic.History = h
	member.requireAt(t, topic, 0, 5, h.Event("a", 4))
	for range 2 {
		require.ErrorIs(t, member.Take(t, topic.Run(0, member.next[0], runMax)), projection.ErrOtherHistory)
		require.ErrorIs(t, member.Status().Partitions[0].Err, projection.ErrOtherHistory)
	}

	// In a topic of its own.
	other := NewTopic("other", 1, back)
	other.Publish(0, back.Events("a", 0, 9)...)
	late := NewMember(t, db)
	require.NoError(t, late.Join(t, other, 0))
	require.ErrorIs(t, late.Take(t, other.Run(0, 0, runMax)), projection.ErrOtherHistory)
	late.requireRow(t, db, "a", h.Events("a", 0, 4))
	late.requireAt(t, topic, 0, 5, h.Event("a", 4))
	late.requireOnlyParked(t)
}
