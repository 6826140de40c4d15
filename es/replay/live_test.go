package replay_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/projection"
	"passbook/es/replay"
)

// member is one partition of a projection as a bus drives it: assigned once, and
// from then on only told what comes.
type member struct {
	w         *world
	p         *projection.Projection[tx]
	partition int32
	next      int64
}

func assignAll(t *testing.T, w *world, p *projection.Projection[tx]) (members []*member) {
	t.Helper()
	topic := w.open(feedName)
	bounds, err := w.feed().Bounds(t.Context(), topic)
	require.NoError(t, err)
	for i, b := range bounds {
		next, err := p.Assign(t.Context(), bus.Assignment{Topic: topic, Partition: int32(i), Bounds: b})
		require.NoError(t, err)
		members = append(members, &member{w, p, int32(i), next})
	}
	return members
}

// again gives the next run, if there is one.
func (m *member) again() (more bool, err error) {
	ctx, topic := m.w.Context(), m.w.open(feedName)
	bounds, err := m.w.feed().Bounds(ctx, topic)
	require.NoError(m.w, err)
	end := bounds[m.partition].End
	var records []bus.Record
	for r, err := range m.w.feed().Read(ctx, topic, m.partition, m.next, min(m.next+4, end)) {
		require.NoError(m.w, err)
		records = append(records, r)
	}
	if len(records) == 0 {
		return false, nil
	}
	next, err := m.p.Consume(ctx, bus.Run{Topic: topic, Partition: m.partition, Records: records, End: end})
	if err == nil {
		m.next = next
	}
	return true, err
}

func (m *member) toEnd() {
	m.w.Helper()
	for more := true; more; {
		var err error
		more, err = m.again()
		require.NoError(m.w, err)
	}
}

// TestProjectionGoesOn: members that were assigned before the swap, and know
// nothing of it, go on from the new line's checkpoints, also when that is ahead
// of them; so do those of another instance.
func TestProjectionGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(6)...)
	one, other := w.live(), w.live()
	members, idle := assignAll(t, w, one), assignAll(t, w, other)
	for _, m := range members {
		m.toEnd()
	}
	w.spoil(streams(6)[:3]...)
	asked := w.request()
	w.happen(2, streams(6)...) // only the new line has read these
	done := w.restore(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table))
	// A query that waits for a version gets it from the new line, whoever made it.
	reached, err := one.Await(t.Context(), "s05", 4)
	require.NoError(t, err)
	require.EqualValues(t, 4, reached)

	w.happen(1, streams(7)...)
	for _, m := range append(members, idle...) {
		m.toEnd()
	}
	require.Equal(t, w.expected(), w.rows(table))
	require.Empty(t, w.parked())
	for _, p := range []*projection.Projection[tx]{one, other} {
		counts := p.Status().Counts
		require.Zero(t, counts.Rewinds)
		require.EqualValues(t, partitions, counts.Fenced, "each found the checkpoint moved, once")
		for _, s := range p.Status().Partitions {
			require.NoError(t, s.Err)
			require.Zero(t, s.Lag)
			require.Positive(t, s.Position)
		}
	}
}

// shiftedTopics show another topic's records as those of the feed.
type shiftedTopics struct {
	bus.Topics
	from interface {
		Topic(name string, settings bus.TopicSettings) bus.Feed
	}
	life bus.Topic
}

func (s shiftedTopics) Topic(name string, settings bus.TopicSettings) bus.Feed {
	if name != feedName {
		return s.Topics.Topic(name, settings)
	}
	return shiftedFeed{s.from.Topic(s.life.Name, settings), s.life}
}

type shiftedFeed struct {
	bus.Feed
	life bus.Topic
}

func (f shiftedFeed) Bounds(ctx context.Context, _ bus.Topic) ([]bus.Bounds, error) {
	return f.Feed.Bounds(ctx, f.life)
}

func (f shiftedFeed) Read(ctx context.Context, _ bus.Topic, p int32, from, end int64) iter.Seq2[bus.Record, error] {
	return f.Feed.Read(ctx, f.life, p, from, end)
}

// TestRestore_UnderLoad: publishers, builders and projection run while events
// keep coming, two of each, and restores are asked for again and again.
func TestRestore_UnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(10, streams(6)...)
	w.project()
	ctx, stop := context.WithCancel(t.Context())
	var running []chan error
	start := func(run func(context.Context) error) {
		done := make(chan error, 1)
		running = append(running, done)
		go func() { done <- run(ctx) }()
	}
	for _, holder := range []string{"a", "b"} {
		p := w.process()
		p.holder = holder
		p.config = func(c *config) { c.LeaseDuration, c.Patience = 5*time.Second, patience }
		start(p.publisher().Run)
		start(w.builder(p).Run)
	}
	live, log := w.live(), w.process().log()
	for round := range 4 {
		w.spoil("s00")
		var asked replay.Restore
		require.Eventually(t, func() bool {
			var err error
			asked, err = log.Request(t.Context(), "")
			return err == nil // the log has to be created first
		}, patience, tick)
		for state := replay.StateRunning; state == replay.StateRunning; {
			w.happen(1, streams(6)...)
			require.NoError(t, live.RunToEnd(t.Context(), w.feed(), w.open(feedName)))
			r, err := log.Find(t.Context(), asked.ID)
			require.NoError(t, err)
			state = r.State
			require.NotEqual(t, replay.StateFailed, state, "round %d: %s", round, r.Error)
		}
		require.NoError(t, live.RunToEnd(t.Context(), w.feed(), w.open(feedName)))
		require.Equal(t, w.expected(), w.rows(table), "round %d", round)
	}
	stop()
	for _, done := range running {
		require.NoError(t, <-done)
	}
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	require.Empty(t, w.replayTopics())
}

// TestRace_WithoutLeases: two builders that both believe that they have the
// lease, as a paused one does; at any moment there is one line or the other.
func TestRace_WithoutLeases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(10, streams(6)...)
	w.project()
	for range 10 {
		w.spoil("s00")
		asked := w.request()
		require.NoError(t, w.process().publisher().RunOnce(t.Context()))
		errs := make(chan error, 2)
		for range 2 {
			p := w.process()
			p.leases = nil
			b := w.builder(p)
			go func() { errs <- b.RunOnce(t.Context()) }()
		}
		<-errs
		<-errs
		w.restore(asked.ID)
		r := w.find(asked.ID)
		if r.State == replay.StateFailed { // each has taken the line from the other, too often
			asked = w.request()
			r = w.restore(asked.ID)
		}
		require.Equal(t, replay.StateDone, r.State)
		require.Equal(t, w.expected(), w.rows(table))
		_, next := w.lines()
		require.Empty(t, next)
	}
}

// TestRace_PublishersWithoutLeases: two publishers that both believe that they
// have the lease never make a replay that is believed and wrong.
func TestRace_PublishersWithoutLeases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(10, streams(6)...)
	w.project()
	want := w.expected()
	for range 10 {
		asked := w.request()
		errs := make(chan error, 2)
		for range 2 {
			p := w.process()
			p.checkpoints = nil
			go func() { errs <- p.publisher().RunOnce(t.Context()) }()
		}
		<-errs
		<-errs
		r := w.restore(asked.ID)
		require.NotEqual(t, replay.StateRunning, r.State)
		require.Equal(t, want, w.rows(table))
	}
}
