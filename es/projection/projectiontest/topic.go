package projectiontest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// History is the events of a store, made when they are first asked for.
type History struct {
	ID     string
	events map[string]event.Envelope
}

// NewHistory returns a history of that id.
func NewHistory(id string) *History {
	return &History{ID: id, events: make(map[string]event.Envelope)}
}

// Event returns the event of a stream at a version, the same one each time.
func (h *History) Event(stream string, version int64) event.Envelope {
	return h.event(fmt.Sprintf("%s-%d", stream, version), stream, version)
}

// Other returns another event that claims the same place.
func (h *History) Other(stream string, version int64) event.Envelope {
	return h.event(fmt.Sprintf("%s-%d-other", stream, version), stream, version)
}

// Events returns the events of a stream from one version to another, that one
// included.
func (h *History) Events(stream string, from, to int64) (events []event.Envelope) {
	for v := from; v <= to; v++ {
		events = append(events, h.Event(stream, v))
	}
	return events
}

func (h *History) event(id, stream string, version int64) event.Envelope {
	if e, ok := h.events[id]; ok {
		return e
	}
	position := int64(len(h.events)) + 1
	e := event.Envelope{
		ID: id, Stream: stream, Version: version, Position: position,
		Type: event.Type{Name: "test.counted", Schema: 1},
		Time: time.Date(2026, 1, 1, 0, 0, int(position), 1000, time.UTC),
		Data: []byte(strconv.FormatInt(1<<min(version, 40), 10)),
	}
	h.events[id] = e
	return e
}

// Topic is a topic in memory, with as many partitions as are published to. It
// is a projection.Feed. It may be spoiled in every way that a broker or its
// operators can think of.
type Topic struct {
	bus.Topic
	History    *History
	partitions [][]bus.Record
	bounds     []bus.Bounds
}

// NewTopic returns an empty topic of that id.
func NewTopic(id string, partitions int32, history *History) *Topic {
	return &Topic{
		Topic:      bus.Topic{Name: "events", ID: id, Partitions: partitions},
		History:    history,
		partitions: make([][]bus.Record, partitions),
		bounds:     make([]bus.Bounds, partitions),
	}
}

// Clone returns a copy that what is done to the topic does not reach.
func (tp *Topic) Clone() *Topic {
	other := *tp
	other.bounds = slices.Clone(tp.bounds)
	other.partitions = make([][]bus.Record, len(tp.partitions))
	for i, records := range tp.partitions {
		other.partitions[i] = slices.Clone(records)
	}
	return &other
}

// Publish adds events to a partition.
func (tp *Topic) Publish(partition int32, events ...event.Envelope) {
	for _, e := range events {
		tp.Append(partition, bus.Encode(tp.History.ID, e))
	}
}

// Append adds a message to a partition.
func (tp *Topic) Append(partition int32, m bus.Message) {
	b := &tp.bounds[partition]
	tp.partitions[partition] = append(tp.partitions[partition], bus.Record{
		Message: m, Partition: partition, Offset: b.End,
	})
	b.End++
}

// Skip leaves out offsets, as control records do.
func (tp *Topic) Skip(partition int32, offsets int64) { tp.bounds[partition].End += offsets }

// Cut takes away the records from an offset on, as a broker does that was not
// durable.
func (tp *Topic) Cut(partition int32, end int64) {
	tp.partitions[partition] = slices.DeleteFunc(tp.partitions[partition], func(r bus.Record) bool { return r.Offset >= end })
	tp.bounds[partition].End = end
}

// Truncate takes away the records before an offset, as retention does.
func (tp *Topic) Truncate(partition int32, first int64) {
	tp.partitions[partition] = slices.DeleteFunc(tp.partitions[partition], func(r bus.Record) bool { return r.Offset < first })
	tp.bounds[partition].First = first
}

// Bounds implements projection.Feed.
func (tp *Topic) Bounds(context.Context, bus.Topic) ([]bus.Bounds, error) {
	return slices.Clone(tp.bounds), nil
}

// Read implements projection.Feed.
func (tp *Topic) Read(_ context.Context, _ bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		for _, r := range tp.partitions[partition] {
			if r.Offset >= from && r.Offset < end && !yield(r, nil) {
				return
			}
		}
	}
}

// Run returns the records of a partition from an offset on, limit at most, as a
// member gets them.
func (tp *Topic) Run(partition int32, from int64, limit int) bus.Run {
	run := bus.Run{Topic: tp.Topic, Partition: partition, End: tp.bounds[partition].End}
	for _, r := range tp.partitions[partition] {
		if r.Offset >= from && len(run.Records) < limit {
			run.Records = append(run.Records, r)
		}
	}
	return run
}

// Assignment returns what a member is told when it gets a partition.
func (tp *Topic) Assignment(partition int32) bus.Assignment {
	return bus.Assignment{Topic: tp.Topic, Partition: partition, Bounds: tp.bounds[partition]}
}
