package replay_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/replay"
)

const (
	patience = time.Minute
	tick     = time.Millisecond
)

// TestLog_Missing: before a publisher has run there is nothing to ask.
func TestLog_Missing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	log := w.process().log()
	_, err := log.Request(t.Context(), "")
	require.ErrorIs(t, err, replay.ErrUnavailable)
	require.ErrorIs(t, err, bus.ErrNoTopic)
	_, err = log.Find(t.Context(), "x")
	require.ErrorIs(t, err, replay.ErrUnavailable)
	_, err = w.topics.Find(t.Context(), replay.LogTopic(feedName))
	require.ErrorIs(t, err, bus.ErrNoTopic, "nobody but a publisher creates it")
	require.NoError(t, w.builder(w.process()).RunOnce(t.Context()))

	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	_, err = log.Find(t.Context(), "x")
	require.ErrorIs(t, err, replay.ErrUnknown)
	_, err = log.Request(t.Context(), "")
	require.NoError(t, err)

	require.NoError(t, w.topics.Delete(t.Context(), found(t, w, replay.LogTopic(feedName))))
	_, err = log.Request(t.Context(), "")
	require.ErrorIs(t, err, replay.ErrUnavailable)
}

func found(t *testing.T, w *world, name string) bus.Topic {
	t.Helper()
	topic, err := w.topics.Find(t.Context(), name)
	require.NoError(t, err)
	return topic
}

// TestLog_OneAtATime: requests while one runs get that one, also those that are
// made at the same moment by processes that do not see each other.
func TestLog_OneAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(1, streams(3)...)
	first := w.request()
	second := w.request()
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, replay.StateDone, w.restore(first.ID).State)

	for range 20 {
		var asking sync.WaitGroup
		ids := make([]string, 6)
		for i := range ids {
			log := w.process().log()
			asking.Go(func() {
				if r, err := log.Request(t.Context(), ""); err == nil {
					ids[i] = r.ID
				}
			})
		}
		asking.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.NotEmpty(t, ids[0])
		require.Equal(t, replay.StateDone, w.restore(ids[0]).State)
	}
}

// TestLog_Keeps: old restores are forgotten, by those who see the log anew too.
func TestLog_Keeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(1, streams(3)...)
	var ids []string
	for range 6 {
		asked := w.request()
		require.Equal(t, replay.StateDone, w.restore(asked.ID).State)
		ids = append(ids, asked.ID)
	}
	all, err := w.process().log().Restores(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 3)
	for i, r := range all {
		require.Equal(t, ids[3+i], r.ID)
	}
	_, err = w.process().log().Find(t.Context(), ids[0])
	require.ErrorIs(t, err, replay.ErrUnknown)
}

// TestLog_Stalled: a restore that nobody works on shows, and gives way to the next
// request; whoever comes back to it late cannot swap it in.
func TestLog_Stalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.happen(3, streams(4)...)
		w.project()
		log := w.process().log()
		first := w.request()
		require.NoError(t, w.process().publisher().RunOnce(t.Context()))
		_, err := log.Find(t.Context(), first.ID)
		require.NoError(t, err)
		pass(time.Minute)
		seen, err := log.Find(t.Context(), first.ID)
		require.NoError(t, err)
		require.False(t, seen.Stalled)
		pass(2 * time.Minute)
		seen, err = log.Find(t.Context(), first.ID)
		require.NoError(t, err)
		require.True(t, seen.Stalled)
		require.Equal(t, replay.StateRunning, seen.State)

		p := w.process()
		var second replay.Restore
		swaps := 0
		p.lines = hooked{w.read, func() {
			if swaps++; swaps == 1 { // it is built at last, when somebody asks again
				w.happen(2, "s00")
				w.project() // so that this swap is refused
				pass(3 * time.Minute)
				second, err = log.Request(t.Context(), "")
				require.NoError(t, err)
			}
		}}
		p.config = func(c *config) { c.Patience, c.FinishMax = time.Hour, 1 }
		p.leases = nil
		require.NoError(t, w.builder(p).RunOnce(t.Context()))
		require.Equal(t, 1, swaps)
		require.NotEqual(t, first.ID, second.ID)
		failed := w.find(first.ID)
		require.Equal(t, replay.StateFailed, failed.State)
		require.Contains(t, failed.Error, second.ID)
		_, next := w.lines()
		require.Empty(t, next)
		require.Equal(t, replay.StateDone, w.restore(second.ID).State)
		require.Equal(t, w.expected(), w.rows(table))
		require.Empty(t, w.replayTopics())
	})
}

// pass lets time pass, in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// TestLog_Compacted: what is left of a log after compaction says the same.
func TestLog_Compacted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(4, streams(4)...)
	w.project()
	var want []replay.Restore
	for i := range 4 {
		asked := w.request()
		if i == 2 {
			w.fails = poison("s01", 2)
		}
		w.restore(asked.ID)
		w.fails = nil
		want = append(want, w.find(asked.ID))
	}
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	want = append(want[1:], w.find(asked.ID)) // of those that are over three are kept
	require.Equal(t, replay.StateFailed, want[1].State)

	require.Equal(t, want, w.compacted())
}

// compacted returns what a log says of which only the last of each key is left.
func (w *world) compacted() []replay.Restore {
	w.Helper()
	compacted := memory.NewTopics()
	keepLast(w, w.topics, compacted, replay.LogTopic(feedName))
	all, err := replay.NewLog(compacted, feedName, replay.LogConfig{Logger: quiet}).Restores(w.Context())
	require.NoError(w, err)
	return all
}

// TestLog_Joined: a request that came second leaves nothing behind that could
// begin a restore later.
func TestLog_Joined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(1, streams(3)...)
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	var first replay.Restore
	between := false
	slow := w.process()
	slow.topics = mortalTopics{&fate{decide: func(op, when string) error {
		if op == "publish" && when == "before" && !between {
			between = true
			var err error
			first, err = w.process().log().Request(t.Context(), "")
			return err
		}
		return nil
	}}, w.topics}
	second, err := slow.log().Request(t.Context(), "")
	require.NoError(t, err)
	require.True(t, between)
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, replay.StateDone, w.restore(first.ID).State)
	for range 4 {
		asked := w.request()
		require.Equal(t, replay.StateDone, w.restore(asked.ID).State)
	}
	all := w.compacted()
	require.Len(t, all, 3)
	for _, r := range all {
		require.Equal(t, replay.StateDone, r.State)
	}
}

// keepLast copies the last record of each key.
func keepLast(t testing.TB, from, to *memory.Topics, name string) {
	t.Helper()
	settings := bus.TopicSettings{Compacted: true}
	source, target := from.Topic(name, settings), to.Topic(name, settings)
	life, err := source.Open(t.Context())
	require.NoError(t, err)
	bounds, err := source.Bounds(t.Context(), life)
	require.NoError(t, err)
	var records []bus.Record
	last := make(map[string]int64)
	for r, err := range source.Read(t.Context(), life, 0, 0, bounds[0].End) {
		require.NoError(t, err)
		records = append(records, r)
		last[r.Key] = r.Offset
	}
	copied, err := target.Open(t.Context())
	require.NoError(t, err)
	producer, err := target.Producer(t.Context(), copied)
	require.NoError(t, err)
	defer producer.Close()
	left := 0
	for _, r := range records {
		if last[r.Key] == r.Offset && r.Value != nil {
			left++
			_, err := producer.Publish(t.Context(), []bus.Placed{{Message: r.Message}})
			require.NoError(t, err)
		}
	}
	require.Less(t, left, len(records), fmt.Sprint("something was compacted, of ", len(records)))
}

// TestLog_Unreachable: who asks is told in time.
func TestLog_Unreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := w.process().log().Request(ctx, "")
	require.ErrorIs(t, err, replay.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}
