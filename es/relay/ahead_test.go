package relay_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/relay"
)

// reading is a store that knows how far it was read, and how many readers it has.
type reading struct {
	*history
	furthest, readers atomic.Int64
}

func (r *reading) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		r.readers.Add(1)
		defer r.readers.Add(-1)
		for e, err := range r.history.ReadAll(ctx, after) {
			r.furthest.Store(max(r.furthest.Load(), e.Position))
			if !yield(e, err) {
				return
			}
		}
	}
}

// ahead is a world in which something happens while the first page of five is
// published and the second was read. It must run in a synctest bubble.
func ahead(meanwhile func(w *world) outcome) (*world, *reading) {
	w := newWorld()
	w.store.fill(15)
	source := &reading{history: w.store}
	var happened atomic.Bool
	w.broker.onPublish = func([]bus.Placed) outcome {
		if happened.Swap(true) {
			return outcome{}
		}
		synctest.Wait()
		return meanwhile(w)
	}
	return w, source
}

// replaced has the store hold other events behind position 5 than were read
// ahead, as where it was put back by hand.
func replaced(w *world) {
	w.store.cut(10)
	w.store.id = "other"
	w.store.fill(8)
	w.store.id = "h1"
}

// TestAhead_Failed: after an error nothing that was read before is published.
func TestAhead_Failed(t *testing.T) {
	for name, arrive := range map[string]func(int32) int{
		"all of it arrived": nil,
		"none of it":        func(int32) int { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var source *reading
				w, source := ahead(func(w *world) outcome {
					require.GreaterOrEqual(t, source.furthest.Load(), int64(10), "the next page is read by now")
					replaced(w)
					return outcome{err: errRefused, arrive: arrive}
				})
				r := relay.New(source, w.broker, w.checkpoints, settings("r"))
				require.ErrorIs(t, r.RunToEnd(t.Context()), errRefused)
				require.Zero(t, source.readers.Load(), "nobody reads on")
				require.LessOrEqual(t, w.broker.count(), 5)
				require.NoError(t, r.RunToEnd(t.Context()))
				require.NoError(t, w.exact(), "the events that the store holds now")
			})
		})
	}
}

// TestAhead_LeaseLost: what a relay has read while it held the lease is not
// published behind what its successor finds.
func TestAhead_LeaseLost(t *testing.T) {
	for name, renewed := range map[string]error{
		"another has it":   checkpoint.ErrLost,
		"it cannot be had": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, source := ahead(func(w *world) outcome {
					after(2 * time.Hour) // beyond the lease
					replaced(w)
					return outcome{}
				})
				m := &mortal{world: w, before: func(op string) error {
					if op == "renew" {
						return renewed
					}
					return nil
				}}
				r := relay.New(source, mortalFeed{m}, mortalCheckpoints{m}, settings("r"))
				require.ErrorIs(t, r.RunToEnd(t.Context()), renewed)
				require.Zero(t, source.readers.Load(), "nobody reads on")
				require.Equal(t, 5, w.broker.count(), "the page that was under way, and no other")
				w.expire()
				require.NoError(t, w.relay("b").RunToEnd(t.Context()))
				require.NoError(t, w.exact())
			})
		})
	}
}

// TestAhead_Stopped: a relay that is stopped while it publishes, and one that has
// published what was wanted, leaves nobody behind who reads.
func TestAhead_Stopped(t *testing.T) {
	t.Run("by its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			w, source := ahead(func(*world) outcome {
				cancel()
				return outcome{}
			})
			r := relay.New(source, w.broker, w.checkpoints, settings("r"))
			require.ErrorIs(t, r.RunToEnd(ctx), context.Canceled)
			require.Zero(t, source.readers.Load())
			require.Equal(t, 5, w.broker.count(), "the page that was under way, and no other")
			require.EqualValues(t, 5, relay.Confirmed(w.saved(t)))
			require.NoError(t, w.run(t.Context()))
			require.NoError(t, w.exact())
		})
	})
	t.Run("after one page", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, source := ahead(func(*world) outcome { return outcome{} })
			r := relay.New(source, w.broker, w.checkpoints, settings("r"))
			require.NoError(t, r.RunOnce(t.Context()))
			require.Zero(t, source.readers.Load())
			require.GreaterOrEqual(t, source.furthest.Load(), int64(10), "the next page was read")
			replaced(w)
			require.NoError(t, r.RunToEnd(t.Context()))
			require.NoError(t, w.exact(), "the events that the store holds now")
		})
	})
}

// TestAhead_Missing: an event that is missing in the page read ahead keeps that
// page's other events back only from itself on.
func TestAhead_Missing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, source := ahead(func(*world) outcome { return outcome{} })
		w.store.lose(8)
		r := relay.New(source, w.broker, w.checkpoints, settings("r"))
		require.ErrorContains(t, r.RunToEnd(t.Context()), "position 8")
		require.Zero(t, source.readers.Load())
		require.Equal(t, 7, w.broker.count())
		w.store.find(8)
		require.NoError(t, r.RunToEnd(t.Context()))
		require.NoError(t, w.exact())
	})
}
