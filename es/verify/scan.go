package verify

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/event"
)

// pageEvents is how many events one read of the store brings: long scans are
// many short reads.
const pageEvents = 1000

// scan compares the store with the topic: the store by position, and beside it
// each partition, record by record, as far as the store has come.
func (a *attempt) scan(ctx context.Context) error {
	a.openCursors(ctx)
	defer a.closeCursors()
	o, k := &openings{attempt: a}, a.openKeys(ctx)
	defer k.stop()
	expected := int64(1)
	for expected <= a.head {
		page, err := a.Store.ReadAll(ctx, expected-1, pageEvents)
		if err != nil {
			return fmt.Errorf("event store: read from position %d: %w", expected, err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Position > a.head {
				break
			}
			a.holes(expected, e.Position)
			expected = e.Position + 1
			a.report.Events++
			if err := k.pass(e); err != nil {
				return err
			}
			if err := a.placeEvent(ctx, e); err != nil {
				return err
			}
			if err := o.add(ctx, e); err != nil {
				return err
			}
		}
		if page[len(page)-1].Position > a.head {
			break
		}
		a.step(int64(len(page)))
	}
	a.holes(expected, a.head+1)
	if err := k.end(); err != nil {
		return err
	}
	if err := o.flush(ctx); err != nil {
		return err
	}
	return a.endScan(ctx)
}

// holes names the positions that the store lacks before next.
func (a *attempt) holes(expected, next int64) {
	for ; expected < next; expected++ {
		a.report.differ(Difference{
			Place: InStore, Kind: Missing, Version: event.NoVersion, Position: expected,
			Text: "the event store has no event at this position",
		})
	}
}

// endScan deals with the records that are left, and says what did not come.
func (a *attempt) endScan(ctx context.Context) error {
	for _, cur := range a.partitions {
		if err := cur.drain(ctx); err != nil {
			return err
		}
		cur.judgeMarks()
		if err := cur.tellMissing(ctx); err != nil {
			return err
		}
		cur.tellNotes()
	}
	if a.report.RelayLag > 0 {
		a.report.notef(NoteLag, "", "%d events are not in the feed yet", a.report.RelayLag)
	}
	if a.report.Repeats > 0 {
		a.report.notef(NoteRepeats, "", "%d records of the feed repeat earlier ones exactly", a.report.Repeats)
	}
	if a.report.ReadModelLag > 0 {
		a.report.notef(NoteLag, "", "%d events of the feed are not in the read model yet", a.report.ReadModelLag)
	}
	return nil
}

// placeEvent looks for an event in its partition.
func (a *attempt) placeEvent(ctx context.Context, e event.Envelope) error {
	cur := a.cursorOf(e.Stream)
	cur.checkConfirmed(e)
	for {
		r, err := cur.peek()
		if err != nil {
			return err
		}
		if r == nil {
			cur.lack(e)
			return nil
		}
		if r.Position != e.Position || r.ID != e.ID {
			v, err := cur.judge(ctx, r, e)
			if err != nil {
				return err
			}
			switch v {
			case isAhead:
				cur.lack(e)
				return nil
			case isOther:
				cur.drop()
				continue
			case isThis:
			}
		}
		if faults := recordFaults(a.history, r.record.Message, e); faults != "" {
			a.report.differ(of(InFeed, Altered, e, "%s", faults).at(cur.partition, r.record.Offset))
		}
		cur.place(e, r.record.Offset)
		cur.drop()
		return nil
	}
}

// tellMissing names the events that are not in the partition and must be:
// confirmed ones, and those behind which another one lies.
func (c *cursor) tellMissing(ctx context.Context) error {
	last := max(c.placed, c.confirmed)
	c.report.RelayLag += c.tail
	for _, gap := range c.lacks.ranges {
		for after := gap.from - 1; after < min(gap.to, last); {
			page, err := c.Store.ReadAll(ctx, after, pageEvents)
			if err != nil {
				return fmt.Errorf("event store: read from position %d: %w", after+1, err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				after = e.Position
				if e.Position > min(gap.to, last) {
					break
				}
				if bus.Partition(e.Stream, c.topic.Partitions) == c.partition {
					c.missing(e)
				}
			}
		}
	}
	return nil
}

func (c *cursor) missing(e event.Envelope) {
	reason := fmt.Sprintf("a later event, position %d, is there", c.placed)
	if e.Position > c.placed {
		c.report.RelayLag--
		reason = fmt.Sprintf("the relay had confirmed all up to position %d", c.confirmed)
	}
	c.report.differ(of(InFeed, Missing, e, "event %s is not in partition %d of the feed; %s", e.ID, c.partition, reason))
}

func (c *cursor) tellNotes() {
	if c.bounds.First > 0 {
		c.report.notef(NoteTruncated, "", "partition %d starts at offset %d: records were deleted there, "+
			"and %d of their events come behind later ones", c.partition, c.bounds.First, c.inserted)
	}
}
