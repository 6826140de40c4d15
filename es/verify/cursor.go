package verify

import (
	"context"
	"fmt"
	"iter"

	"passbook/es/bus"
	"passbook/es/event"
)

// found is an event in the topic.
type found struct {
	event.Envelope
	record bus.Record
	// ahead: the store has it, further on than where the scan is.
	ahead bool
}

// cursor reads one partition along the scan, and keeps what was found out.
type cursor struct {
	*attempt
	partition int32
	bounds    bus.Bounds
	next      func() (bus.Record, error, bool)
	stop      func()
	head      *found // the event that was read last and is not dealt with yet
	marks     []*mark
	// contradicted: the relay's checkpoint was told to contradict itself.
	contradicted bool

	// placed is the highest position that was found at its place, and applied
	// the highest of those whose record lies before the consumer's checkpoint.
	placed, applied int64
	// before is the offset of the consumer's checkpoint, 0 without one.
	before int64
	// lacks are positions that were not at their place and did not come since;
	// isLacking tells that the last event of the partition was one, tail how many
	// there are behind the last one that was placed.
	lacks     positions
	isLacking bool
	tail      int64
	// late are positions whose records came too late for their order, at or
	// behind the consumer's checkpoint.
	late positions
	// repeated is a page of store events around the last repeat.
	repeated []event.Envelope
	// inserted counts records that came late because the beginning of the
	// partition was deleted, ahead rows that have more than the checkpoint says.
	inserted, aheadRows int64
}

func (a *attempt) openCursors(ctx context.Context) {
	for i, b := range a.bounds {
		cur := &cursor{attempt: a, partition: int32(i), bounds: b}
		cur.next, cur.stop = iter.Pull2(a.Feed.Read(ctx, a.topic, cur.partition, b.First, b.End))
		cur.watch()
		a.partitions = append(a.partitions, cur)
	}
}

func (a *attempt) closeCursors() {
	for _, cur := range a.partitions {
		cur.stop()
	}
}

func (a *attempt) cursorOf(stream string) *cursor {
	return a.partitions[bus.Partition(stream, a.topic.Partitions)]
}

// peek returns the next event of the partition that is not dealt with, nil at
// its end. Records that can not be one of the store's events are told and
// passed over.
func (c *cursor) peek() (*found, error) {
	for c.head == nil {
		record, err, ok := c.next()
		if err != nil {
			return nil, fmt.Errorf("feed: %w", err)
		}
		if !ok {
			return nil, nil //nolint:nilnil // the end is no error
		}
		c.report.Records++
		history, e, err := bus.Decode(record.Message)
		c.checkMarks(record, e, err)
		switch {
		case err != nil:
			c.foreign(record, e, err)
		case history != c.history:
			c.report.differ(of(InFeed, OtherHistory, e, "the record is of history %s, the store is %s", history, c.history).
				at(c.partition, record.Offset))
		case bus.Partition(e.Stream, c.topic.Partitions) != c.partition:
			c.report.differ(of(InFeed, Misplaced, e, "the stream belongs in partition %d of %d",
				bus.Partition(e.Stream, c.topic.Partitions), c.topic.Partitions).at(c.partition, record.Offset))
		default:
			c.head = &found{Envelope: e, record: record}
		}
	}
	return c.head, nil
}

// foreign names of a record that is no event what can be read of it.
func (c *cursor) foreign(record bus.Record, e event.Envelope, err error) {
	d := Difference{Place: InFeed, Kind: Foreign, Stream: record.Key, Version: event.NoVersion, EventID: e.ID, Text: err.Error()}
	c.report.differ(d.at(c.partition, record.Offset))
}

// drop is done with the record that peek returned.
func (c *cursor) drop() { c.head = nil }

// lack remembers that an event is not at its place.
func (c *cursor) lack(e event.Envelope) {
	c.lacks.add(e.Position, c.isLacking)
	c.isLacking = true
	c.tail++
}

// place takes an event as found at its place.
func (c *cursor) place(e event.Envelope, offset int64) {
	c.placed, c.isLacking, c.tail = e.Position, false, 0
	if offset < c.before {
		c.applied = e.Position
	} else {
		c.report.ReadModelLag++
	}
}

// wasRead tells whether the first record of an event lies before the consumer's
// checkpoint.
func (c *cursor) wasRead(position int64) bool {
	return position <= c.applied && !c.lacks.has(position) && !c.late.has(position)
}
