package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/projection"
	"passbook/es/replay"
)

// TestOtherHistory_Cured: a read model of another history is built anew, and the
// projection, which stood still, goes on by itself.
func TestOtherHistory_Cured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(5, streams(5)...)
	w.project()

	w.newHistory()
	require.NoError(t, w.topics.Delete(t.Context(), w.open(feedName))) // the relay gets a new topic
	w.happen(2, streams(7)...)
	live, topic := w.live(), w.open(feedName)
	require.ErrorIs(t, live.RunToEnd(t.Context(), w.feed(), topic), projection.ErrOtherHistory)
	// A member as it stands there: assigned, with a run that it cannot take.
	members := assignAll(t, w, live)
	for _, m := range members {
		_, err := m.again()
		require.ErrorIs(t, err, projection.ErrOtherHistory)
	}

	w.fails = poison("s03", 1) // which is no reason to keep rows of another history
	asked := w.request()
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.EqualValues(t, 1, done.Parked)
	w.fails = nil
	w.happen(2, streams(8)...)
	for _, m := range members {
		m.toEnd()
	}
	_, err := live.RedriveAll(t.Context())
	require.NoError(t, err)
	require.Equal(t, w.expected(), w.rows(table))
	for _, p := range live.Status().Partitions {
		require.NoError(t, p.Err)
		require.Zero(t, p.Lag)
	}
}

// TestOtherHistory_Feed: a feed that is not of the store is not taken for one.
func TestOtherHistory_Feed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(5, streams(5)...)
	w.project()
	want := w.rows(table)
	w.newHistory()
	w.commit(1, streams(5)...)
	asked := w.request()
	failed := w.restore(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "give the relay a new topic")
	require.Equal(t, want, w.rows(table))
	require.Empty(t, w.replayTopics())
}

// TestOtherHistory_Published: a store that was put back after it was published.
func TestOtherHistory_Published(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(5, streams(5)...)
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	w.newHistory()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	failed := w.find(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "ask for another restore")
	require.NoError(t, w.builder(w.process()).RunOnce(t.Context()))
	require.Empty(t, w.rows(table))
}

// TestFeedMadeAgain: the feed's topic is made again while the line is built.
func TestFeedMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(5, streams(5)...)
	w.project()
	want := w.rows(table)
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	require.NoError(t, w.topics.Delete(t.Context(), w.open(feedName)))
	w.relayed = 0
	w.relay()
	failed := w.restore(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "topic changed")
	require.Equal(t, want, w.rows(table))

	again := w.request()
	require.Equal(t, replay.StateDone, w.restore(again.ID).State)
	require.Equal(t, want, w.rows(table))
}

// TestFeedShifted: the broker lost the end of the feed, and it was published
// again with other records between, so that offsets are not what they were.
func TestFeedShifted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(6)...)
	w.relayed = 0
	w.relay() // everything twice
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	// The same topic with everything once, and news at places that were taken.
	shifted := w.topics.Topic("shifted", bus.TopicSettings{Partitions: partitions})
	life, err := shifted.Open(t.Context())
	require.NoError(t, err)
	w.commit(3, streams(6)...)
	producer, err := shifted.Producer(t.Context(), life)
	require.NoError(t, err)
	defer producer.Close()
	for e, err := range w.store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		_, err = producer.Publish(t.Context(), []bus.Placed{{
			Message: bus.Encode(w.store.History(), e), Partition: bus.Partition(e.Stream, partitions),
		}})
		require.NoError(t, err)
	}
	p := w.process()
	p.topics = shiftedTopics{w.topics, w.topics, life}
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table))
}
