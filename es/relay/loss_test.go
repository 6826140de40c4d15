package relay_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// TestBrokerLostTail: records that were acknowledged are gone, and the topic's
// id is the same.
func TestBrokerLostTail(t *testing.T) {
	for lost := range 15 {
		t.Run(fmt.Sprintf("%d records between two relays", lost), func(t *testing.T) {
			w := newWorld()
			w.store.fill(40)
			require.NoError(t, w.run(t.Context()))
			w.broker.loseTail(1, lost)
			require.NoError(t, w.run(t.Context()))
			require.NoError(t, w.exact())
		})
	}
	t.Run("and the checkpoint is older than that", func(t *testing.T) {
		w := newWorld()
		w.store.fill(40)
		require.NoError(t, w.relay("r").RunOnce(t.Context()))
		saved := w.saved(t)
		require.NoError(t, w.run(t.Context()))
		w.broker.loseTail(0, 2)
		lease, err := w.checkpoints.Acquire(t.Context(), "relay", "r", 1)
		require.NoError(t, err)
		require.NoError(t, w.checkpoints.Save(t.Context(), lease, saved))
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	})
	t.Run("and others have come behind it", func(t *testing.T) {
		w := newWorld()
		w.store.fill(40)
		require.NoError(t, w.run(t.Context()))
		last := w.broker.records(1)[len(w.broker.records(1))-1]
		w.broker.loseTail(1, 3)
		w.broker.put(1, last.Message) // from a relay that went on late
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.complete())
		require.NoError(t, w.settled(t.Context()))
	})
}

// TestBrokerLostTail_UnderTheRelay: what is lost while a relay publishes is
// found when it next publishes to that partition.
func TestBrokerLostTail_UnderTheRelay(t *testing.T) {
	for _, forgetful := range []bool{false, true} {
		for call := 1; call <= 4; call++ {
			t.Run(fmt.Sprintf("forgetful=%t, before call %d", forgetful, call), func(t *testing.T) {
				w := newWorld()
				w.store.fill(5)
				require.NoError(t, w.run(t.Context())) // so that the first call comes behind something
				w.store.fill(20)
				w.broker.forgetful = forgetful
				w.broker.onPublish = once(call, func() { w.broker.loseTail(1, 1) })
				require.Error(t, w.run(t.Context()), "the relay does not notice")
				require.NoError(t, w.run(t.Context()))
				require.NoError(t, w.complete())
				require.NoError(t, w.settled(t.Context()))
			})
		}
	}
}

// TestBrokerLostTail_PlaceTaken: somebody's record lies where the lost one was,
// so that the offsets fit.
func TestBrokerLostTail_PlaceTaken(t *testing.T) {
	for name, taken := range map[string]struct{ call, records int }{
		"before the first call":        {call: 1, records: 1},
		"and more, before a later one": {call: 3, records: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.store.fill(20)
			require.NoError(t, w.run(t.Context()))
			w.store.fill(21)
			w.broker.forgetful = true
			w.broker.onPublish = once(taken.call, func() {
				w.broker.loseTail(1, 1)
				for range taken.records {
					w.broker.put(1, bus.Message{Value: []byte("foreign")})
				}
			})
			require.ErrorContains(t, w.run(t.Context()), "is gone from offset")
			require.NoError(t, w.run(t.Context()))
			require.NoError(t, w.complete())
			require.NoError(t, w.settled(t.Context()))
		})
	}
}

// once does something before the n-th call of Publish.
func once(n int, do func()) func([]bus.Placed) outcome {
	calls := 0
	return func([]bus.Placed) outcome {
		if calls++; calls == n {
			do()
		}
		return outcome{}
	}
}

func TestRecreatedTopic(t *testing.T) {
	t.Run("between two relays", func(t *testing.T) {
		w := newWorld()
		w.store.fill(40)
		require.NoError(t, w.run(t.Context()))
		w.broker.recreate()
		w.store.fill(3)
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	})
	t.Run("filled as far as before, by another", func(t *testing.T) {
		// Offsets, and the events at them, are the same as in the old one.
		w := newWorld()
		w.store.fill(40)
		require.NoError(t, w.run(t.Context()))
		old := newWorld()
		old.store, old.broker.lives = w.store, 1
		old.broker.recreate()
		require.NoError(t, old.run(t.Context()))
		w.broker = old.broker
		require.NoError(t, w.settled(t.Context()))
		require.NoError(t, w.exact())
		require.Equal(t, "life-2", w.saved(t)[0].Topic)
	})
	t.Run("with the last records at their old places", func(t *testing.T) {
		w := newWorld()
		w.store.fill(40)
		require.NoError(t, w.run(t.Context()))
		old := w.broker.logs
		w.broker.recreate()
		for p, l := range old {
			for range len(l.records) - 1 {
				w.broker.put(int32(p), bus.Message{Value: []byte("foreign")})
			}
			w.broker.put(int32(p), l.records[len(l.records)-1].Message)
		}
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.complete())
	})
	for call := 1; call <= 4; call++ {
		t.Run(fmt.Sprintf("during call %d", call), func(t *testing.T) {
			w := newWorld()
			w.store.fill(20)
			w.broker.onPublish = once(call, w.broker.recreate)
			// One page may still land in the new topic, in the middle of nothing.
			require.Error(t, w.run(t.Context()), "the relay does not notice")
			require.NoError(t, w.run(t.Context()))
			require.NoError(t, w.complete())
			require.NoError(t, w.settled(t.Context()))
		})
	}
}

func TestTruncatedTopic(t *testing.T) {
	for _, deleted := range []int{1, 5, 1000} {
		t.Run(fmt.Sprintf("%d records", deleted), func(t *testing.T) {
			w := newWorld()
			w.store.fill(40)
			require.NoError(t, w.run(t.Context()))
			w.broker.truncate(2, deleted)
			w.store.fill(3)
			r := w.relay("r")
			require.NoError(t, r.RunToEnd(t.Context()))
			require.NoError(t, w.complete())
			require.Equal(t, []int32{2}, r.Status().Truncated)
			require.NoError(t, w.settled(t.Context()))
			w.forget()
			require.NoError(t, w.run(t.Context()))
			require.NoError(t, w.complete())
		})
	}
}
