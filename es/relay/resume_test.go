package relay_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/relay"
)

// TestResume_ReadsInStep compares a long topic with a long store: neither is
// read further than the other needs, so that neither is ever in memory.
func TestResume_ReadsInStep(t *testing.T) {
	w := newWorld()
	w.store.fill(20_000)
	require.NoError(t, w.run(t.Context()))
	w.forget()
	s := &stepper{history: w.store, Feed: w.broker}
	r := relay.New(s, s, w.checkpoints, settings("r"))
	require.NoError(t, r.RunToEnd(t.Context()))
	require.Zero(t, r.Status().Published)
	require.EqualValues(t, 20_000, s.events.Load())
	require.EqualValues(t, 20_000, s.records.Load())
	require.Empty(t, s.fault)
}

// stepper is a source and a feed that count what is read of each.
type stepper struct {
	*history
	bus.Feed
	events, records atomic.Int64
	fault           string
}

func (s *stepper) check() {
	if ahead := s.records.Load() - s.events.Load(); ahead > partitions || ahead < -partitions {
		s.fault = fmt.Sprintf("%d records were read and %d events", s.records.Load(), s.events.Load())
	}
}

func (s *stepper) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		for e, err := range s.history.ReadAll(ctx, after) {
			s.events.Add(1)
			s.check()
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *stepper) Read(ctx context.Context, topic bus.Topic, p int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		for record, err := range s.Feed.Read(ctx, topic, p, from, end) {
			s.records.Add(1)
			s.check()
			if !yield(record, err) {
				return
			}
		}
	}
}
