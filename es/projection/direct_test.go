package projection_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

var _ projection.Feed = bus.Feed(nil)

func TestProjection_RunOnce(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 2, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Events("a", 0, 4)...)
	topic.Skip(0, 7)
	topic.Publish(1, topic.History.Events("b", 0, 1)...)
	for _, runMax := range []int{1, 2, 3, 500} {
		t.Run(strconv.Itoa(runMax), func(t *testing.T) {
			t.Parallel()
			topic := topic.Clone()
			p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{RunMax: runMax})
			runs := 1
			for more := true; more; runs++ {
				var err error
				more, err = p.RunOnce(t.Context(), topic, topic.Topic)
				require.NoError(t, err)
				require.LessOrEqual(t, runs, 7)
			}
			reached, err := p.Await(t.Context(), "a", 4)
			require.NoError(t, err)
			require.Equal(t, int64(4), reached)
			require.Equal(t, projection.Counts{Applied: 7}, p.Status().Counts)

			// A topic made again, in runs that are as small.
			topic.ID = "made again"
			topic.Publish(1, topic.History.Event("b", 2))
			for more := true; more; {
				more, err = p.RunOnce(t.Context(), topic, topic.Topic)
				require.NoError(t, err)
			}
			require.Equal(t, projection.Counts{Applied: 8, Duplicates: 7, Rewinds: 2}, p.Status().Counts)
		})
	}
}

// brokenFeed fails where it is told to.
type brokenFeed struct {
	*projectiontest.Topic
	bounds, read error
}

func (f brokenFeed) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	all, _ := f.Topic.Bounds(ctx, topic)
	return all, f.bounds
}

func (f brokenFeed) Read(
	ctx context.Context, topic bus.Topic, partition int32, from, end int64,
) iter.Seq2[bus.Record, error] {
	if f.read != nil {
		return func(yield func(bus.Record, error) bool) { yield(bus.Record{}, f.read) }
	}
	return f.Topic.Read(ctx, topic, partition, from, end)
}

func TestProjection_RunToEndFails(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Events("a", 0, 4)...)
	away := errors.New("broker is away")
	p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{})
	for _, feed := range []brokenFeed{{Topic: topic, bounds: away}, {Topic: topic, read: away}} {
		require.ErrorIs(t, p.RunToEnd(t.Context(), feed, topic.Topic), away)
		_, err := p.RunOnce(t.Context(), feed, topic.Topic)
		require.ErrorIs(t, err, away)
	}
	require.NoError(t, p.RunToEnd(t.Context(), brokenFeed{Topic: topic}, topic.Topic))
}

// TestProjection_UnapplicableNames: a model that blames events that it was not
// given, another one each time, parks nothing and holds up nobody for ever.
func TestProjection_UnapplicableNames(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Event("a", 0), h.Event("b", 0))
	store := memory.NewProjectionStore()
	calls := 0
	p := newProjection(t, store, tally(func(event.Envelope) error {
		calls++
		return projection.NewUnapplicable(h.Event(fmt.Sprint("not mine ", calls), 0), errors.New("wrong"))
	}), projection.Config{})
	require.ErrorContains(t, p.RunToEnd(t.Context(), topic, topic.Topic), "not mine 1")
	require.Equal(t, 1, calls)
	parked, err := p.Parked(t.Context(), "", 10)
	require.NoError(t, err)
	require.Empty(t, parked)
}

// TestProjection_RedriveAll upgrades a program after every stream was parked.
func TestProjection_RedriveAll(t *testing.T) {
	t.Parallel()
	const streams = 450
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	for i := range streams {
		topic.Publish(0, topic.History.Events(fmt.Sprint("s", i), 0, 1)...)
	}
	store := memory.NewProjectionStore()
	old := newProjection(t, store, tally(func(event.Envelope) error { return event.ErrUnknownType }), projection.Config{})
	require.NoError(t, old.RunToEnd(t.Context(), topic, topic.Topic))
	require.Equal(t, int64(2*streams), old.Status().Counts.Queued)
	p := newProjection(t, store, tally(nil), projection.Config{})
	flowing, err := p.RedriveAll(t.Context())
	require.NoError(t, err)
	require.Equal(t, streams, flowing)
	require.Equal(t, int64(2*streams), p.Status().Counts.Applied)
}

// TestProjection_UnapplicableLine: what operators see is one line, whatever the
// error looked like.
func TestProjection_UnapplicableLine(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Event("a", 0))
	p := newProjection(t, memory.NewProjectionStore(), tally(func(e event.Envelope) error {
		return projection.NewUnapplicable(e, errors.Join(errors.New("one"), errors.New("two")))
	}), projection.Config{})
	require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
	parked, _, err := p.ParkedStream(t.Context(), "a", 1)
	require.NoError(t, err)
	require.Equal(t, "one; two", parked.Error)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	type counted struct{ N int }
	codec, err := event.NewCodec(event.Define[counted]("test.counted", 1))
	require.NoError(t, err)
	e := event.Envelope{ID: "id", Stream: "a", Version: 7, Type: event.Type{Name: "test.counted", Schema: 1}, Data: []byte(`{"N":3}`)}
	payload, err := projection.Decode(codec, e)
	require.NoError(t, err)
	require.Equal(t, counted{N: 3}, payload)
	e.Type.Schema = 2
	_, err = projection.Decode(codec, e)
	require.ErrorIs(t, err, event.ErrUnknownType)
	var unapplicable *projection.Unapplicable
	require.ErrorAs(t, err, &unapplicable)
	require.Equal(t, projection.Ref{Stream: "a", Version: 7}, projection.Ref{Stream: unapplicable.Stream, Version: unapplicable.Version})
	require.Equal(t, "id", unapplicable.EventID)
}
