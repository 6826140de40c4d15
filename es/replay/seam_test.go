package replay_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/replay"
)

// busySource has something happen right behind each look at the head.
type busySource struct {
	replay.Source
	happen func()
}

func (s busySource) Head(ctx context.Context) (int64, error) {
	head, err := s.Source.Head(ctx)
	s.happen()
	return head, err
}

// TestSeam: what is committed and relayed while the place of the seam is being
// found is in the new line.
func TestSeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(5)...)
	asked := w.request()
	p := w.process()
	p.source = busySource{w.store, func() { w.happen(1, streams(6)...) }}
	require.NoError(t, p.publisher().RunOnce(t.Context()))
	require.EqualValues(t, 15, w.find(asked.ID).Total)
	require.NoError(t, w.builder(w.process()).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table))
}

// TestSwap_FinishesInside: what the old line is ahead when the swap begins is
// applied inside it, so that a steady load does not keep a line out for ever.
func TestSwap_FinishesInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(5)...)
	w.project()
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	p := w.process()
	swaps := 0
	p.lines = hooked{w.read, func() {
		swaps++
		w.happen(7, streams(9)...)
		w.project()
	}}
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	require.Equal(t, 1, swaps)
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table), "as of the swap, before anything else is projected")
	require.Empty(t, w.parked())
}

// behind lets a swap make up for less than what these tests have happen.
func behind(c *config) { c.FinishMax = 1 }

// TestSwap_Behind: a line that the old one has overtaken by far is not swapped in
// before it has caught up.
func TestSwap_Behind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(5)...)
	w.project()
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	p := w.process()
	swaps := 0
	p.lines = hooked{w.read, func() {
		if swaps++; swaps < 4 {
			w.happen(2, "s00")
			w.project()
		}
	}}
	p.config = behind
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	require.Equal(t, 4, swaps)
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table), "as of the swap, before anything else is projected")
}

// TestCatchUp_Drains: what waits for an event that comes late is applied whole,
// however long its queue is, before the lines are compared.
func TestCatchUp_Drains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(2, streams(3)...)
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	w.commit(20, "s00")
	var late []bus.Placed
	for e, err := range w.store.ReadAll(t.Context(), w.relayed) {
		require.NoError(t, err)
		late = append(late, bus.Placed{
			Message: bus.Encode(w.store.History(), e), Partition: bus.Partition(e.Stream, partitions),
		})
	}
	producer, err := w.feed().Producer(t.Context(), w.open(feedName))
	require.NoError(t, err)
	defer producer.Close()
	_, err = producer.Publish(t.Context(), append(late[1:], late[0]))
	require.NoError(t, err)
	w.project()
	require.Empty(t, w.parked())
	require.NoError(t, w.builder(w.process()).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.Equal(t, w.expected(), w.rows(table))
}

// TestSwap_AlwaysBehind: it is not tried for ever.
func TestSwap_AlwaysBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(1, streams(5)...)
	w.project()
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	p := w.process()
	p.lines = hooked{w.read, func() {
		w.happen(2, "s00")
		w.project()
	}}
	p.config = behind
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	failed := w.find(asked.ID)
	require.Equal(t, replay.StateFailed, failed.State)
	require.Contains(t, failed.Error, "the new line is behind the old one")
	require.Equal(t, w.expected(), w.rows(table))
}

// tampered are topics of which the replays are read altered.
type tampered struct {
	bus.Topics
	alter func(records []bus.Record) []bus.Record
}

func (t tampered) Topic(name string, settings bus.TopicSettings) bus.Feed {
	f := t.Topics.Topic(name, settings)
	if !strings.HasPrefix(name, feedName+"-replay-") {
		return f
	}
	return tamperedFeed{f, t.alter}
}

type tamperedFeed struct {
	bus.Feed
	alter func(records []bus.Record) []bus.Record
}

func (f tamperedFeed) Read(ctx context.Context, topic bus.Topic, p int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		var records []bus.Record
		for record, err := range f.Feed.Read(ctx, topic, p, from, end) {
			if err != nil {
				yield(record, err)
				return
			}
			records = append(records, record)
		}
		if p == 1 {
			records = f.alter(records)
		}
		for _, record := range records {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// TestReplay_Tampered: a replay that is not what was published is not believed.
func TestReplay_Tampered(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(r []bus.Record) []bus.Record{
		"payload": func(r []bus.Record) []bus.Record {
			r[1].Value = []byte("7777")
			return r
		},
		"last event is missing": func(r []bus.Record) []bus.Record {
			n := len(r)
			return append(r[:n-2:n-2], r[n-1])
		},
		"event is repeated": func(r []bus.Record) []bus.Record {
			r[2].Message = r[1].Message
			return r
		},
		"end is missing": func(r []bus.Record) []bus.Record { return r[:len(r)-1] },
		"end comes early": func(r []bus.Record) []bus.Record {
			n := len(r)
			r[n-2].Message, r[n-1].Message = r[n-1].Message, r[n-2].Message
			return r
		},
		"foreign record": func(r []bus.Record) []bus.Record {
			r[1].Headers = nil
			return r
		},
		"other history": func(r []bus.Record) []bus.Record {
			for i := range r {
				if _, e, err := bus.Decode(r[i].Message); err == nil {
					r[i].Message = bus.Encode("another", e)
				}
			}
			return r
		},
		"end of another restore": func(r []bus.Record) []bus.Record {
			last := &r[len(r)-1]
			last.Value = []byte(strings.ReplaceAll(string(last.Value), `"restore":"0`, `"restore":"1`))
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.happen(3, streams(7)...)
			w.project()
			w.spoil("s00")
			old := w.rows(table)
			asked := w.request()
			require.NoError(t, w.process().publisher().RunOnce(t.Context()))
			p := w.process()
			p.topics = tampered{w.topics, alter}
			p.config = func(c *config) { c.Audit = nil }
			require.NoError(t, w.builder(p).RunOnce(t.Context()))
			failed := w.find(asked.ID)
			require.Equal(t, replay.StateFailed, failed.State)
			require.Contains(t, failed.Error, "replay")
			require.NotContains(t, failed.Error, "\n")
			require.Equal(t, old, w.rows(table))
			_, next := w.lines()
			require.Empty(t, next)
		})
	}
}

type config = replay.BuilderConfig[tx]

// blind is an audit that finds something wrong, or is not there.
type blind struct{ saw, check error }

func (b blind) Saw(event.Envelope) error { return b.saw }

func (b blind) Check(context.Context, tx, map[string]bool) error { return b.check }

// TestAudit: what the application finds wrong fails the restore.
func TestAudit(t *testing.T) {
	t.Parallel()
	wrong := errors.New("a balance is wrong")
	for _, faulty := range []blind{{saw: wrong}, {check: wrong}} {
		w := newWorld(t)
		w.happen(3, streams(7)...)
		asked := w.request()
		require.NoError(t, w.process().publisher().RunOnce(t.Context()))
		p := w.process()
		p.config = func(c *config) {
			c.Audit = func(map[string]string) (replay.Audit[tx], error) { return faulty, nil }
		}
		require.NoError(t, w.builder(p).RunOnce(t.Context()))
		failed := w.find(asked.ID)
		require.Equal(t, replay.StateFailed, failed.State)
		require.Contains(t, failed.Error, "a balance is wrong")
		require.Empty(t, w.rows(table))
	}
}

// TestCompare: differences from the old line are told, and change nothing.
func TestCompare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(3, streams(7)...)
	w.project()
	w.spoil("s00", "s01", "s02")
	asked := w.request()
	require.NoError(t, w.process().publisher().RunOnce(t.Context()))
	p := w.process()
	p.config = func(c *config) {
		c.Compare = func(_ context.Context, tx tx, next map[string]string) (differences int64, err error) {
			tx.Rows(next[table], func(key string, row any) bool {
				if old, _ := tx.Get(table, key); old != row {
					differences++
				}
				return true
			})
			return differences, nil
		}
	}
	require.NoError(t, w.builder(p).RunOnce(t.Context()))
	done := w.find(asked.ID)
	require.Equal(t, replay.StateDone, done.State, done.Error)
	require.EqualValues(t, 3, done.Differences)
	require.Equal(t, w.expected(), w.rows(table))
}
