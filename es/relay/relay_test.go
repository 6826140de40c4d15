package relay_test

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/relay"
)

func TestRelay_PublishesEverythingOnceInOrder(t *testing.T) {
	w := newWorld()
	w.store.fill(33)
	require.NoError(t, w.run(t.Context()))
	require.NoError(t, w.exact())
	w.store.fill(12)
	require.NoError(t, w.run(t.Context()))
	require.NoError(t, w.exact())
	require.NoError(t, w.settled(t.Context()))
	require.Zero(t, w.broker.producers(), "producers left open")
	require.Equal(t, int64(45), relay.Confirmed(w.saved(t)))
}

func TestRelay_EmptyStore(t *testing.T) {
	w := newWorld()
	require.NoError(t, w.run(t.Context()))
	require.Zero(t, w.broker.count())
	w.store.fill(4)
	require.NoError(t, w.run(t.Context()))
	require.NoError(t, w.exact())
}

func TestRelay_RunOnce(t *testing.T) {
	w := newWorld()
	w.store.fill(12)
	for _, confirmed := range []int64{5, 10, 12, 12} {
		require.NoError(t, w.relay("r").RunOnce(t.Context()))
		require.Equal(t, confirmed, relay.Confirmed(w.saved(t)))
		require.EqualValues(t, confirmed, w.broker.count())
	}
	require.NoError(t, w.exact())
}

func TestRelay_PagesAreBoundedByBytes(t *testing.T) {
	w := newWorld()
	w.store.fill(10)
	var pages []int
	w.broker.onPublish = func(records []bus.Placed) outcome {
		pages = append(pages, len(records))
		return outcome{}
	}
	config := settings("r")
	config.PageEvents, config.PageBytes = 100, 1 // less than any event takes
	require.NoError(t, relay.New(w.store, w.broker, w.checkpoints, config).RunToEnd(t.Context()))
	require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, pages)
	require.NoError(t, w.exact())
}

func TestRelay_HeldLease(t *testing.T) {
	w := newWorld()
	w.store.fill(3)
	_, err := w.checkpoints.Acquire(t.Context(), "relay", "another", 1<<40)
	require.NoError(t, err)
	require.ErrorIs(t, w.run(t.Context()), checkpoint.ErrHeld)
	require.Zero(t, w.broker.count())
}

// TestRefusedRecordInMiddleOfLoad: what comes behind a refused record must not
// be published before it is, and nothing must be twice.
func TestRefusedRecordInMiddleOfLoad(t *testing.T) {
	for refused := range 20 {
		w := newWorld()
		w.store.fill(20)
		require.NoError(t, refuseOne(t, w, refused, w.run))
		require.NoError(t, w.exact(), "record %d was refused", refused)
		require.Zero(t, w.broker.producers(), "producers left open")
	}
}

func TestRelay_ForeignRecordsArePassedOver(t *testing.T) {
	w := newWorld()
	w.store.fill(10)
	foreign := bus.Message{Key: "s01", Value: []byte("hello")}
	w.broker.put(0, foreign)
	require.NoError(t, w.run(t.Context()))
	for p := range int32(partitions) {
		w.broker.put(p, foreign)
	}
	w.store.fill(10)
	require.NoError(t, w.run(t.Context()))
	require.NoError(t, w.complete())
	require.NoError(t, w.ordered())
	w.forget()
	r := w.relay("r")
	require.NoError(t, r.RunToEnd(t.Context()))
	require.NoError(t, w.settled(t.Context()))
	require.EqualValues(t, partitions+1, r.Status().Foreign)
	require.Zero(t, r.Status().Published)
}

// TestRelay_RunsOfDifferentLength: a partition whose run is further than
// the others' gets nothing twice.
func TestRelay_RunsOfDifferentLength(t *testing.T) {
	w := newWorld()
	w.store.fill(40)
	require.NoError(t, w.run(t.Context()))
	before := w.broker.count()
	w.broker.loseTail(1, 9)
	w.forget()
	require.NoError(t, w.run(t.Context()))
	require.Equal(t, before, w.broker.count())
	require.NoError(t, w.exact())
}

// TestRelay_SavesRunsOfDifferentLength: a checkpoint that is made while some
// partitions are further than others is as good as any.
func TestRelay_SavesRunsOfDifferentLength(t *testing.T) {
	w := newWorld()
	w.store.fill(60)
	require.NoError(t, w.run(t.Context()))
	again := len(w.broker.records(2))
	w.broker.truncate(2, 3) // all of partition 2 is to be published again
	for range 20 {
		require.NoError(t, w.relay("r").RunOnce(t.Context()))
	}
	require.NoError(t, w.complete())
	require.Equal(t, 60-3+again, w.broker.count(), "nothing else is published again")
	require.NoError(t, w.settled(t.Context()))
}

// TestRelay_RunsOfDifferentLength_GoOn: a partition that is further than the
// others may have got even further since the checkpoint.
func TestRelay_RunsOfDifferentLength_GoOn(t *testing.T) {
	w := newWorld()
	w.store.fill(60)
	require.NoError(t, w.run(t.Context()))
	w.broker.truncate(2, 3)
	require.NoError(t, w.relay("r").RunOnce(t.Context()))
	w.store.fill(20)
	for _, e := range w.store.all()[60:] {
		if bus.Partition(e.Stream, partitions) == 0 {
			w.broker.put(0, bus.Encode("h1", e))
		}
	}
	before := len(w.broker.records(0))
	require.NoError(t, w.run(t.Context()))
	require.NoError(t, w.complete())
	require.Len(t, w.broker.records(0), before, "they are not published again")
	require.NoError(t, w.settled(t.Context()))
}

// TestRelay_OwnsItsReader: when a run has ended, nothing reads the store any
// more.
func TestRelay_OwnsItsReader(t *testing.T) {
	w := newWorld()
	w.store.fill(50)
	w.broker.onPublish = func([]bus.Placed) outcome {
		return outcome{err: errRefused, arrive: func(int32) int { return 0 }}
	}
	source := &watched{history: w.store}
	for range 20 {
		require.ErrorIs(t, relay.New(source, w.broker, w.checkpoints, settings("r")).RunToEnd(t.Context()), errRefused)
		require.Zero(t, source.reading.Load())
	}
}

// watched counts those who read.
type watched struct {
	*history
	reading atomic.Int64
}

func (s *watched) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		s.reading.Add(1)
		defer func() {
			for range 1000 { // so that who does not wait for it is ahead of it
				runtime.Gosched()
			}
			s.reading.Add(-1)
		}()
		s.history.ReadAll(ctx, after)(yield)
	}
}
