package projection_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// rowed is a model that wants back what it has read.
type rowed struct {
	projectiontest.Tally[memTx]
	t *testing.T
	// calls are the numbers of events that were applied at once, to rows that were
	// read before, and read is how often rows were read.
	calls []int
	read  int
}

// readRows is what Rows has read: in which call, and of which streams.
type readRows struct {
	call    int
	streams []string
}

func (m *rowed) Rows(ctx context.Context, tx memTx, streams []string) (map[string]projection.Head, any, error) {
	m.read++
	heads, err := m.Heads(ctx, tx, streams)
	return heads, readRows{call: m.read, streams: streams}, err
}

func (m *rowed) ApplyTo(ctx context.Context, tx memTx, rows any, events []event.Envelope) error {
	require.IsType(m.t, readRows{}, rows)
	got, _ := rows.(readRows)
	require.Equal(m.t, m.read, got.call, "of the last look")
	for _, e := range events {
		require.Contains(m.t, got.streams, e.Stream)
	}
	m.calls = append(m.calls, len(events))
	return m.Apply(ctx, tx, events)
}

// A model that reads its rows with the heads is asked once for each batch, and
// again where a batch goes on behind a queue that was drained.
func TestRowModel(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Events("a", 0, 2)...)
	topic.Publish(0, h.Event("b", 0), h.Event("b", 2), h.Event("b", 1), h.Event("b", 3), h.Event("a", 3))
	m := &rowed{Tally: tally(nil), t: t}
	p := newProjection(t, memory.NewProjectionStore(), m, projection.Config{})
	require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
	require.Equal(t, int64(8), p.Status().Counts.Applied)
	require.Equal(t, []int{4, 2, 2}, m.calls, "up to the one that heals, the queue, and the rest")
	require.Equal(t, 3, m.read)
}

// To find the event that cannot be decoded, they are applied one by one: to rows
// that each of them changes.
func TestRowModel_OneByOne(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Events("a", 0, 4)...)
	m := &rowed{t: t, Tally: tally(func(e event.Envelope) error {
		if e.ID == "a-3" {
			return event.ErrUnknownType
		}
		return nil
	})}
	p := newProjection(t, memory.NewProjectionStore(), m, projection.Config{})
	require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
	parked, _, err := p.ParkedStream(t.Context(), "a", 10)
	require.NoError(t, err)
	require.Equal(t, int64(3), parked.Version)
	require.Equal(t, []int{5, 2}, m.calls, "all of them, and when it is tried again, what is parked")
}
