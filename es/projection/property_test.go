package projection_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// TestProjection_AnyOrder has members of a group come, go, sleep and wake over
// a topic that is repeated, cut, made again and full of gaps, differences and
// events that cannot be applied, on an engine that fails. In the end the rows
// and the parked streams are what a naive fold makes of the same records.
func TestProjection_AnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		rt.Repeat(map[string]func(*rapid.T){
			"publish": w.publish, "take": w.take, "sleep": w.sleep, "wake": w.wake, "join": w.join,
			"make again": w.makeAgain, "lose tail": w.loseTail, "redrive": w.redrive, "upgrade": w.upgrade,
			"": w.invariants,
		})
		w.finish(rt)
	})
}

const partitions = 2

type world struct {
	t     rapidT
	db    projectiontest.Database[memTx]
	topic *projectiontest.Topic
	lives int
	// drainMax is small in half of the worlds. There, no differences are made:
	// one that comes while a queue drains stops it earlier than in the fold.
	drainMax int
	streams  []string
	next     map[string]int64
	late     []event.Envelope
	poison   map[string]bool
	members  []*projectiontest.Member[memTx]
	// asleep are runs that members have in their hands.
	asleep []sleeper
	fold   fold
}

type sleeper struct {
	member *projectiontest.Member[memTx]
	run    bus.Run
}

// rapidT is a projectiontest.T that fails as rapid wants it.
type rapidT struct {
	projectiontest.T
	rt *rapid.T
}

func (t rapidT) Errorf(format string, args ...any) { t.rt.Errorf(format, args...) }
func (t rapidT) FailNow()                          { t.rt.FailNow() }
func (t rapidT) Helper()                           { t.rt.Helper() }

func newWorld(t *testing.T, rt *rapid.T) *world {
	w := &world{
		t: rapidT{T: t, rt: rt}, db: openMemory(),
		topic:    projectiontest.NewTopic("life 0", partitions, projectiontest.NewHistory("history")),
		drainMax: rapid.SampledFrom([]int{2, 1000}).Draw(rt, "drainMax"),
		streams:  []string{"a", "b", "c", "d"},
		next:     make(map[string]int64), poison: make(map[string]bool),
		fold: fold{streams: make(map[string]*folded)},
	}
	w.fold.poison = w.poison
	w.join(rt)
	return w
}

func partitionOf(stream string) int32 { return int32(stream[0]) % partitions }

func (w *world) publish(rt *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(rt, "events") {
		w.publishOne(rt)
	}
}

func (w *world) publishOne(rt *rapid.T) {
	stream := rapid.SampledFrom(w.streams).Draw(rt, "stream")
	h, v := w.topic.History, w.next[stream]
	e := h.Event(stream, v)
	kind := rapid.SampledFrom([]string{
		"next", "next", "next", "next", "next", "gap", "late", "late", "again", "other", "poison", "foreign",
	}).Draw(rt, "kind")
	switch {
	case kind == "gap":
		w.late = append(w.late, e)
		w.next[stream]++
		e = h.Event(stream, v+1)
	case kind == "late" && len(w.late) > 0:
		i := rapid.IntRange(0, len(w.late)-1).Draw(rt, "which")
		e = w.late[i]
		w.late = slices.Delete(w.late, i, i+1)
		w.topic.Publish(partitionOf(e.Stream), e)
		return
	case kind == "again" && v > 0:
		w.topic.Publish(partitionOf(stream), h.Event(stream, rapid.Int64Range(0, v-1).Draw(rt, "version")))
		return
	case kind == "other" && v > 0 && w.drainMax > 2:
		w.topic.Publish(partitionOf(stream), h.Other(stream, rapid.Int64Range(0, v-1).Draw(rt, "version")))
		return
	case kind == "poison":
		w.poison[e.ID] = true
	case kind == "foreign":
		w.topic.Append(partitionOf(stream), bus.Message{Key: stream})
		return
	}
	w.next[stream]++
	w.topic.Publish(partitionOf(stream), e)
}

// join lets a new member have the partitions, or an old one have them again.
func (w *world) join(rt *rapid.T) {
	i := rapid.IntRange(0, min(len(w.members), 3)).Draw(rt, "member")
	if i == len(w.members) {
		w.members = append(w.members, w.newMember())
	}
	w.see(rt)
	for p := range int32(partitions) {
		require.NoError(w.t, w.members[i].Join(w.t, w.topic, p))
	}
}

// see makes the topic again where a checkpoint cannot see that the records
// before it have changed: that takes a tail that was lost and published again
// with repetitions, so that the very event that the checkpoint names lies at
// the very same offset, and behind it, before that offset, one that was not
// there. One record before the checkpoint does not tell more than that.
func (w *world) see(rt *rapid.T) {
	for p := range int32(partitions) {
		if w.isBlind(p) {
			w.renew(rt)
			return
		}
	}
}

func (w *world) isBlind(partition int32) bool {
	if len(w.members) == 0 {
		return false
	}
	c := w.members[0].Checkpoint(w.t, partition)
	last := w.topic.Run(partition, c.Next-1, 1).Records
	if c.Topic != w.topic.ID || len(last) == 0 || last[0].Offset != c.Next-1 {
		return false
	}
	if id, _ := last[0].Header("ce_id"); id != c.EventID {
		return false
	}
	for _, r := range w.topic.Run(partition, 0, 1<<30).Records {
		if r.Offset < c.Next && !w.fold.knows(r) {
			return true
		}
	}
	return false
}

func (w *world) newMember() *projectiontest.Member[memTx] {
	model := projectiontest.Tally[memTx]{Rows: w.db.Rows, Fails: func(e event.Envelope) error {
		if w.poison[e.ID] {
			return projection.NewUnapplicable(e, errors.New("poison"))
		}
		return nil
	}}
	config := projection.Config{DrainMax: w.drainMax}
	return projectiontest.NewMemberWith(w.t, w.db, w.db.Open(w.t), model, config)
}

func (w *world) draw(rt *rapid.T) sleeper {
	m := rapid.SampledFrom(w.members).Draw(rt, "member")
	p := rapid.Int32Range(0, partitions-1).Draw(rt, "partition")
	return sleeper{m, w.topic.Run(p, m.Next(p), rapid.IntRange(1, 6).Draw(rt, "records"))}
}

func (w *world) take(rt *rapid.T) { w.consume(rt, w.draw(rt)) }

func (w *world) sleep(rt *rapid.T) { w.asleep = append(w.asleep, w.draw(rt)) }

func (w *world) wake(rt *rapid.T) {
	if len(w.asleep) == 0 {
		rt.Skip("nobody sleeps")
	}
	i := rapid.IntRange(0, len(w.asleep)-1).Draw(rt, "sleeper")
	s := w.asleep[i]
	w.asleep = slices.Delete(w.asleep, i, i+1)
	w.consume(rt, s)
}

// consume has a member take a run, perhaps on an engine that fails, and folds
// what was committed of it.
func (w *world) consume(rt *rapid.T, s sleeper) {
	if w.see(rt); len(s.run.Records) == 0 {
		return
	}
	planted := errors.New("planted")
	fail := func() error { return planted }
	switch rapid.SampledFrom([]string{"", "", "", "", "before", "inside", "after"}).Draw(rt, "failure") {
	case "before":
		s.member.Store.Before = fail
	case "inside":
		s.member.Store.Inside = fail
	case "after":
		s.member.Store.After = fail
	}
	before := s.member.Checkpoint(w.t, s.run.Partition)
	err := s.member.Take(w.t, s.run)
	s.member.Store.Before, s.member.Store.Inside, s.member.Store.After = nil, nil, nil
	if s.run.Topic.ID == w.topic.ID && !errors.Is(err, planted) && err != nil {
		// A member that has not heard of the topic's new life refuses it.
		require.ErrorContains(w.t, err, "was assigned for topic id")
	}
	after := s.member.Checkpoint(w.t, s.run.Partition)
	if after == before {
		return
	}
	for _, r := range s.run.Records {
		if r.Offset < after.Next {
			w.fold.take(r)
		}
	}
}

func (w *world) makeAgain(rt *rapid.T) {
	w.renew(rt)
	w.join(rt)
}

func (w *world) renew(rt *rapid.T) {
	before := w.topic
	w.lives++
	w.topic = projectiontest.NewTopic(fmt.Sprintf("life %d", w.lives), partitions, before.History)
	for p := range int32(partitions) {
		w.republish(rt, p, before.Run(p, 0, 1<<30).Records)
	}
}

// republish writes records again: each one once, as a relay does that reads
// them from the store, and then some of them twice, as one that stumbles.
func (w *world) republish(rt *rapid.T, partition int32, records []bus.Record) {
	stumble := rapid.IntRange(0, 5).Draw(rt, "stumble")
	seen := make(map[string]bool)
	for i, r := range records {
		id, _ := r.Header("ce_id")
		if !seen[id] {
			w.topic.Append(partition, r.Message)
		}
		seen[id] = true
		if stumble > 0 && i%stumble == stumble-1 {
			w.topic.Append(partition, records[max(0, i-2)].Message)
		}
	}
}

func (w *world) loseTail(rt *rapid.T) {
	p := rapid.Int32Range(0, partitions-1).Draw(rt, "partition")
	records := w.topic.Run(p, 0, 1<<30).Records
	if len(records) == 0 {
		rt.Skip("nothing to lose")
	}
	from := rapid.IntRange(0, len(records)-1).Draw(rt, "from")
	w.topic.Cut(p, records[from].Offset)
	w.republish(rt, p, records[from:])
	w.join(rt)
}

func (w *world) redrive(rt *rapid.T) {
	stream := rapid.SampledFrom(w.streams).Draw(rt, "stream")
	if _, err := rapid.SampledFrom(w.members).Draw(rt, "member").Redrive(w.t.Context(), stream); err != nil {
		require.ErrorIs(w.t, err, projection.ErrNotParked)
	}
	w.fold.redrive(stream)
}

// upgrade starts programs that can apply everything that there is by now.
func (w *world) upgrade(rt *rapid.T) {
	clear(w.poison)
	_, err := rapid.SampledFrom(w.members).Draw(rt, "member").RedriveAll(w.t.Context())
	require.NoError(w.t, err)
	for _, stream := range w.streams {
		w.fold.redrive(stream)
	}
}

// invariants hold at any time: a row is an unbroken run of versions from 0.
func (w *world) invariants(*rapid.T) {
	for _, stream := range w.streams {
		row := w.members[0].Row(w.t, w.db, stream)
		var sum int64
		for v, id := range row.IDs {
			require.Contains(w.t, []string{
				fmt.Sprintf("%s-%d", stream, v), fmt.Sprintf("%s-%d-other", stream, v),
			}, id)
			sum += 1 << min(v, 40)
		}
		require.Equal(w.t, sum, row.Sum)
	}
}

// finish lets one more member consume everything, and compares.
func (w *world) finish(rt *rapid.T) {
	w.see(rt)
	m := w.newMember()
	for p := range int32(partitions) {
		require.NoError(w.t, m.Join(w.t, w.topic, p))
		m.Finish(w.t, w.topic, p)
		for _, r := range w.topic.Run(p, 0, 1<<30).Records {
			w.fold.take(r)
		}
		require.NoError(w.t, m.Status().Partitions[p].Err)
		require.Zero(w.t, m.Status().Partitions[p].Lag)
	}
	_, err := m.RedriveAll(w.t.Context())
	require.NoError(w.t, err)
	for _, stream := range w.streams {
		w.fold.redrive(stream)
		want := w.fold.stream(stream)
		require.Equal(w.t, want.ids, m.Row(w.t, w.db, stream).IDs, "row of stream %s", stream)
		parked, queue, err := m.ParkedStream(w.t.Context(), stream, 1<<20)
		if want.reason == "" {
			require.ErrorIs(w.t, err, projection.ErrNotParked, "stream %s", stream)
			continue
		}
		require.NoError(w.t, err, "stream %s", stream)
		require.Equal(w.t, want.reason, parked.Reason, "stream %s", stream)
		require.Equal(w.t, want.at, parked.Version, "stream %s", stream)
		require.Equal(w.t, want.queue, queue, "queue of stream %s", stream)
	}
	w.invariants(nil)
}
