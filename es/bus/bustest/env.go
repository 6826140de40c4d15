package bustest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
)

const (
	history         = "history-1"
	defaultPatience = 30 * time.Second
	pollInterval    = 2 * time.Millisecond
)

// env is what a case works with: the test, the bus and shorthand for both.
type env struct {
	testing.TB
	Bus
	patience time.Duration
	ctx      context.Context //nolint:containedctx // a case has one, with its deadline
	script   *script
}

func newEnv(tb testing.TB, o Options) *env {
	tb.Helper()
	patience := o.Patience
	if patience == 0 {
		patience = defaultPatience
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 4*patience)
	tb.Cleanup(cancel)
	b := o.New(tb)
	return &env{TB: tb, Bus: b, patience: patience, ctx: ctx, script: newScript(b.Partitions)}
}

// group returns a name that no other case uses.
func (e *env) group() string { return "group-" + rand.Text() }

// eventuallyf waits until the condition holds.
func (e *env) eventuallyf(condition func() bool, format string, args ...any) {
	e.Helper()
	require.Eventuallyf(e, condition, e.patience, pollInterval, format, args...)
}

func (e *env) open() bus.Topic {
	e.Helper()
	topic, err := e.Feed.Open(e.ctx)
	require.NoError(e, err)
	require.Equal(e, e.Partitions, topic.Partitions)
	return topic
}

func (e *env) producer(topic bus.Topic) bus.Producer {
	e.Helper()
	p, err := e.Feed.Producer(e.ctx, topic)
	require.NoError(e, err)
	e.Cleanup(p.Close)
	return p
}

// publish publishes with a producer of its own.
func (e *env) publish(topic bus.Topic, records ...bus.Placed) []int64 {
	e.Helper()
	p := e.producer(topic)
	defer p.Close()
	offsets, err := p.Publish(e.ctx, records)
	require.NoError(e, err)
	require.Len(e, offsets, len(records))
	return offsets
}

// append brings events in and returns them.
func (e *env) append(events ...event.Envelope) []event.Envelope {
	e.Helper()
	if e.Append != nil {
		require.NoError(e, e.Append(e.ctx, events))
		return events
	}
	records := make([]bus.Placed, len(events))
	for i, ev := range events {
		records[i] = bus.Placed{Message: bus.Encode(history, ev), Partition: bus.Partition(ev.Stream, e.Partitions)}
	}
	e.publish(e.open(), records...)
	return events
}

func (e *env) bounds(topic bus.Topic) []bus.Bounds {
	e.Helper()
	bounds, err := e.Feed.Bounds(e.ctx, topic)
	require.NoError(e, err)
	require.Len(e, bounds, int(topic.Partitions))
	return bounds
}

// read returns a range.
func (e *env) read(topic bus.Topic, partition int32, from, end int64) ([]bus.Record, error) {
	var records []bus.Record
	for r, err := range e.Feed.Read(e.ctx, topic, partition, from, end) {
		if err != nil {
			return records, err
		}
		records = append(records, r)
	}
	return records, nil
}

// contents returns all that is in the topic, by partition.
func (e *env) contents(topic bus.Topic) [][]bus.Record {
	e.Helper()
	all := make([][]bus.Record, topic.Partitions)
	for p, b := range e.bounds(topic) {
		records, err := e.read(topic, int32(p), b.First, b.End)
		require.NoError(e, err)
		all[p] = records
	}
	return all
}
