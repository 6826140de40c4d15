package relay_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

// TestOtherHistory: the store was put back from a back-up by the command for
// it. Positions mean other events now.
func TestOtherHistory(t *testing.T) {
	old := func(t *testing.T) *world {
		t.Helper()
		w := newWorld()
		w.store.fill(20)
		require.NoError(t, w.run(t.Context()))
		w.store = newHistory("h2")
		w.store.fill(25)
		return w
	}
	t.Run("in the checkpoint", func(t *testing.T) {
		w := old(t)
		w.broker.loseTail(0, 100)
		w.broker.loseTail(1, 100)
		w.broker.loseTail(2, 100)
		require.ErrorIs(t, w.run(t.Context()), relay.ErrOtherHistory)
		require.Zero(t, w.broker.count(), "it published")
	})
	t.Run("in the topic", func(t *testing.T) {
		w := old(t)
		w.forget()
		require.ErrorIs(t, w.run(t.Context()), relay.ErrOtherHistory)
		require.Equal(t, 20, w.broker.count(), "it published")
	})
	t.Run("in one partition only", func(t *testing.T) {
		for p := range int32(partitions) {
			w := old(t)
			w.forget()
			for other := range int32(partitions) {
				if other != p {
					w.broker.loseTail(other, 100)
				}
			}
			before := w.broker.count()
			require.ErrorIs(t, w.run(t.Context()), relay.ErrOtherHistory)
			require.Equal(t, before, w.broker.count(), "it published")
		}
	})
	t.Run("and a new topic", func(t *testing.T) {
		w := old(t)
		w.broker.recreate()
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	})
	t.Run("before anything was published", func(t *testing.T) {
		w := newWorld()
		require.NoError(t, w.run(t.Context()))
		w.store = newHistory("h2")
		w.store.fill(25)
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	})
}

// TestStoreDiffers: the store was put back by hand, with its history id.
func TestStoreDiffers(t *testing.T) {
	for _, added := range []int{0, 1, 5, 10, 20} {
		for _, checkpoint := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d others follow, checkpoint=%t", added, checkpoint), func(t *testing.T) {
				w := newWorld()
				w.store.fill(40)
				require.NoError(t, w.run(t.Context()))
				w.store.cut(10)
				w.store.id = "other"
				w.store.fill(added) // with other event ids
				w.store.id = "h1"
				if !checkpoint {
					w.forget()
				}
				require.ErrorIs(t, w.run(t.Context()), relay.ErrDiffers)
				require.Equal(t, 40, w.broker.count(), "it published")
			})
		}
	}
}

// TestStoreDiffers_Records is about single records that the store does not
// have so. Streams s04, s00 and s01 lie in partitions 0, 1 and 2.
func TestStoreDiffers_Records(t *testing.T) {
	for name, record := range map[string]struct {
		// The topic gets the events of one store, and the relay another, which
		// begins in the same way.
		topic, store []string
		lost         []int32 // partitions whose last record is lost
	}{
		"another event at the same position": {topic: []string{"s04", "s04"}, store: []string{"s04", "s04"}},
		"a position of another partition":    {topic: []string{"s04", "s04"}, store: []string{"s04", "s00", "s04"}},
		"an event that lies ahead": {
			topic: []string{"s04", "s00", "s04"}, store: []string{"s04", "s04", "s00"}, lost: []int32{1},
		},
		"an event behind the store's end": {topic: []string{"s04", "s00", "s04"}, store: []string{"s04", "s00"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.store.append(record.topic...)
			require.NoError(t, w.run(t.Context()))
			for _, p := range record.lost {
				w.broker.loseTail(p, 1)
			}
			w.forget()
			first := w.store.all()[0]
			w.store = newHistory("h1")
			w.store.put(first)
			w.store.id = "other"
			w.store.append(record.store[1:]...)
			w.store.id = "h1"
			before := w.broker.count()
			require.ErrorIs(t, w.run(t.Context()), relay.ErrDiffers)
			require.Equal(t, before, w.broker.count(), "it published")
		})
	}
	t.Run("a repeat that is not equal", func(t *testing.T) {
		w := newWorld()
		w.store.append("s04")
		require.NoError(t, w.run(t.Context()))
		w.broker.put(0, bus.Encode("h1", func() event.Envelope {
			e := w.store.all()[0]
			e.ID = "another"
			return e
		}()))
		require.ErrorIs(t, w.run(t.Context()), relay.ErrDiffers)
	})
}

// TestOtherPartitions: somebody added partitions to the topic.
func TestOtherPartitions(t *testing.T) {
	for name, events := range map[string][]string{
		"streams have moved":       {"s00", "s01", "s02", "s03", "s04"},
		"by chance none has moved": {"s04"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.store.append(events...)
			require.NoError(t, w.run(t.Context()))
			w.broker.grow(6)
			require.Equal(t, bus.Partition("s04", 3), bus.Partition("s04", 6))
			require.ErrorIs(t, w.run(t.Context()), relay.ErrPartitions)
			require.Equal(t, len(events), w.broker.count(), "it published")
		})
	}
	t.Run("and there is no checkpoint", func(t *testing.T) {
		w := newWorld()
		w.store.fill(10)
		require.NoError(t, w.run(t.Context()))
		w.broker.grow(6)
		w.forget()
		require.ErrorIs(t, w.run(t.Context()), relay.ErrPartitions)
		require.Equal(t, 10, w.broker.count(), "it published")
	})
	t.Run("before there was anything in it", func(t *testing.T) {
		w := newWorld()
		require.NoError(t, w.run(t.Context()))
		w.broker.grow(6)
		w.store.fill(10)
		require.NoError(t, w.run(t.Context()))
		require.Equal(t, 10, w.broker.count())
	})
}

func TestWrongTopic(t *testing.T) {
	w := newWorld()
	w.store.fill(4)
	w.broker.setWrong(fmt.Errorf("retention.ms is 7 days: %w", bus.ErrTopicWrong))
	require.ErrorIs(t, w.run(t.Context()), bus.ErrTopicWrong)
	require.Zero(t, w.broker.count())
}

// TestMissingPosition: what lies before the gap is published, and nothing else.
func TestMissingPosition(t *testing.T) {
	for missing := int64(1); missing <= 12; missing++ {
		w := newWorld()
		w.store.fill(12)
		w.store.lose(missing)
		for range 2 {
			require.ErrorIs(t, w.run(t.Context()), eventstore.ErrMissing)
			require.EqualValues(t, missing-1, w.broker.count())
		}
		w.store.find(missing)
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	}
}

// TestNoAnswer: nothing is published as long as store or checkpoints do not
// answer what has to be known first.
func TestNoAnswer(t *testing.T) {
	w := newWorld()
	w.store.fill(4)
	w.store.fail(context.DeadlineExceeded)
	require.ErrorIs(t, w.run(t.Context()), context.DeadlineExceeded)
	require.Zero(t, w.broker.count())
}
