package replay_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/replay"
)

// TestRestore: rows that were altered by hand are right afterwards, and the
// projection goes on from there.
func TestRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(5, streams(7)...)
	w.project()
	require.Equal(t, w.expected(), w.rows(table))
	w.spoil(streams(7)[:4]...)
	require.NotEqual(t, w.expected(), w.rows(table))
	before, _ := w.lines()

	asked := w.request()
	require.Equal(t, replay.StateRunning, asked.State)
	require.Equal(t, replay.StepRequested, asked.Step)
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	published := w.find(asked.ID)
	require.Equal(t, replay.StepPublished, published.Step)
	require.EqualValues(t, 35, published.Total)
	require.EqualValues(t, 35, published.Published)
	require.Equal(t, w.store.History(), published.History)
	require.Len(t, w.replayTopics(), 1)

	w.happen(3, streams(9)...) // behind the replay
	w.project()
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State)
	require.EqualValues(t, 35, done.Events)
	require.Zero(t, done.Parked)
	require.Equal(t, "somebody", done.By)
	require.Equal(t, w.expected(), w.rows(table))
	require.Empty(t, w.rows("next_"+table))
	require.Empty(t, w.replayTopics())
	live, next := w.lines()
	require.NotEqual(t, before, live)
	require.Empty(t, next)

	w.happen(2, streams(10)...)
	w.project()
	require.Equal(t, w.expected(), w.rows(table))
	require.Zero(t, w.live().Status().Counts.Rewinds)

	again := w.request()
	require.NotEqual(t, asked.ID, again.ID)
	require.Equal(t, replay.StateDone, w.restore(again.ID).State)
	require.Equal(t, w.expected(), w.rows(table))
}

func TestRestore_OfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.request()
	require.Equal(t, replay.StateDone, w.restore(asked.ID).State)
	w.happen(2, streams(3)...)
	w.project()
	require.Equal(t, w.expected(), w.rows(table))
}

// TestRestore_OfAReadModelThatNeverRead: the old line has no checkpoints.
func TestRestore_OfAReadModelThatNeverRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(5)...)
	asked := w.request()
	require.Equal(t, replay.StateDone, w.restore(asked.ID).State)
	require.Equal(t, w.expected(), w.rows(table))
	w.project()
	require.Equal(t, w.expected(), w.rows(table))
}

var errPoison = errors.New("poison")

// poison makes one version of a stream one that cannot be applied.
func poison(stream string, version int64) func(e event.Envelope) error {
	return func(e event.Envelope) error {
		if e.Stream == stream && e.Version == version {
			return projection.NewUnapplicable(e, errPoison)
		}
		return nil
	}
}

// TestRestore_ParkedInBoth: what is parked anyway stays parked, with its queue.
func TestRestore_ParkedInBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails = poison("s01", 2)
	w.happen(4, streams(4)...)
	w.project()
	asked := w.request()
	w.happen(2, streams(4)...)
	w.project()
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.EqualValues(t, 1, done.Parked)
	require.Equal(t, []string{"s01"}, w.parked())
	w.fails = nil // a newer program
	w.project()
	require.Empty(t, w.parked())
	require.Equal(t, w.expected(), w.rows(table))
}

// TestRestore_Heals: a stream that was parked flows in the new line.
func TestRestore_Heals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails = poison("s01", 2)
	w.happen(4, streams(4)...)
	w.project()
	w.fails = nil
	asked := w.request()
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Empty(t, w.parked())
	require.Equal(t, w.expected(), w.rows(table))
}

// TestRestore_ParkedInNewOnly: a new line in which a stream stands that flows in
// the old one is not swapped in.
func TestRestore_ParkedInNewOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(4, streams(4)...)
	w.project()
	want := w.rows(table)
	w.fails = poison("s01", 2) // a program that is worse
	asked := w.request()
	failed := w.restore(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "stream s01 is parked in the new line and is not in the old one")
	require.NotContains(t, failed.Error, "\n")
	require.Equal(t, want, w.rows(table))
	_, next := w.lines()
	require.Empty(t, next)
	require.Empty(t, w.rows("next_"+table))
	require.Empty(t, w.replayTopics())
}

// TestRestore_ParkedAhead: the new line parks a stream at an event that the old
// one has not come to; where the old one does not come there, the restore fails.
func TestRestore_ParkedAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(2, streams(4)...)
	w.project()
	w.fails = poison("s01", 3)
	w.happen(2, streams(4)...)
	asked := w.request()
	failed := w.restore(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "the old line has not come as far")

	asked = w.request()
	p := w.process()
	swaps := 0
	p.lines = hooked{w.read, func() {
		if swaps++; swaps == 3 {
			w.project()
		}
	}}
	require.NoError(t, p.publisher().RunOnce(t.Context()))
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, []string{"s01"}, w.parked())
}

// hooked are lines that something happens to right before each Swap.
type hooked struct {
	*memory.ProjectionStore
	beforeSwap func()
}

func (h hooked) Swap(
	ctx context.Context, id string, tables []string, check func(ctx context.Context, tx *memory.ProjectionTx) error,
) error {
	h.beforeSwap()
	return h.ProjectionStore.Swap(ctx, id, tables, check)
}

// TestRestore_Discarded: what was discarded is passed over by the new line too.
func TestRestore_Discarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails = poison("s01", 3)
	w.happen(4, streams(4)...)
	w.project()
	flows, err := w.live().Discard(t.Context(), "s01", 3, "it was wrong", "somebody")
	require.NoError(t, err)
	require.True(t, flows)
	want := w.rows(table)
	w.fails = nil // so that it would be applied, were it not for the discard
	asked := w.request()
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, want, w.rows(table))
	discards, err := w.live().Discards(t.Context(), projection.Discarded{}, 10)
	require.NoError(t, err)
	require.Len(t, discards, 1)
}

// truncatedTopics are those of a broker that has deleted the first records of the
// feed.
type truncatedTopics struct {
	bus.Topics
	first int64
}

func (t truncatedTopics) Topic(name string, settings bus.TopicSettings) bus.Feed {
	if name != feedName {
		return t.Topics.Topic(name, settings)
	}
	return truncatedFeed{t.Topics.Topic(name, settings), t.first}
}

type truncatedFeed struct {
	bus.Feed
	first int64
}

func (f truncatedFeed) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	bounds, err := f.Feed.Bounds(ctx, topic)
	for i := range bounds {
		bounds[i].First = min(f.first, bounds[i].End)
	}
	return bounds, err
}

// TestRestore_TruncatedFeed: what the feed does not hold any more comes from the
// store; the feed is read from the seam on and not from its beginning.
func TestRestore_TruncatedFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(4, streams(6)...)
	p := w.process()
	p.topics = truncatedTopics{w.topics, 3}
	asked := w.request()
	require.NoError(t, p.publisher().RunOnce(t.Context()))
	w.happen(1, "s00")
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table))
	w.happen(1, streams(6)...)
	require.NoError(t, w.live().RunToEnd(t.Context(), p.topics.Topic(feedName, bus.TopicSettings{}), w.open(feedName)))
	require.Equal(t, w.expected(), w.rows(table))
}
