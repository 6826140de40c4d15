package relay

import (
	"context"
	"fmt"
	"iter"

	"passbook/es/bus"
	"passbook/es/event"
)

// comparison holds the topic against the store in one scan over both: the
// store in the order of positions, and beside it each partition, record by
// record, only as far as the scan needs. So the memory that it takes does not
// depend on how much there is to compare.
//
// It finds, for each partition, the unbroken run: from where the comparison
// started, every event of the partition, in order. What lies behind the first
// gap of a partition does not count, even if later events are there.
type comparison struct {
	*lap
	cursors []*cursor
	running int // cursors whose run may still go on
	// confirmed is the position from which the scan started, scanned the last
	// that it came to, and missing the first whose event is in no run.
	confirmed, scanned, missing int64
}

// open makes a reader of one partition, whose run has come to known, for the
// offsets from to end.
func (c *comparison) open(ctx context.Context, partition int, known line, from, end int64) *cursor {
	cur := &cursor{comparison: c, partition: int32(partition), line: known, limit: end} //nolint:gosec // counts partitions
	cur.pull, cur.stop = iter.Pull2(c.feed.Read(ctx, c.topic, cur.partition, from, end))
	c.cursors = append(c.cursors, cur)
	c.running++
	return cur
}

// close ends the reading of all partitions.
func (c *comparison) close() {
	for _, cur := range c.cursors {
		cur.stop()
	}
	c.cursors, c.running = nil, 0
}

// scan extends the runs as far as they go.
func (c *comparison) scan(ctx context.Context) error {
	if c.running == 0 {
		return nil // the topic ends where it was known to
	}
	for e, err := range c.source.ReadAll(ctx, c.confirmed) {
		if err != nil {
			return err
		}
		if err := c.place(ctx, e); err != nil {
			return err
		}
		if c.running == 0 {
			return nil
		}
	}
	return c.rest()
}

// place looks for an event in its partition.
func (c *comparison) place(ctx context.Context, e event.Envelope) error {
	c.scanned = e.Position
	cur := c.cursors[bus.Partition(e.Stream, c.topic.Partitions)]
	if e.Position <= cur.line.position {
		return nil // the run was further than what is confirmed for all
	}
	found, err := cur.extend(ctx, e)
	if err == nil && !found && c.missing == 0 {
		c.missing = e.Position
	}
	return err
}

// rest looks at the records that are left when the store has no more events:
// there can be none but repeats.
func (c *comparison) rest() error {
	for _, cur := range c.cursors {
		for !cur.ended {
			r, ok, err := cur.fresh()
			if err != nil {
				return err
			}
			if ok {
				return fmt.Errorf("%w: partition %d holds position %d, event %s, at offset %d, the store has no such event there",
					ErrDiffers, cur.partition, r.Position, r.ID, r.offset)
			}
		}
	}
	return nil
}

// result returns what the scan has found.
func (c *comparison) result() *progress {
	p := &progress{
		history: c.source.History(), topic: c.topic.ID,
		confirmed: max(c.confirmed, c.scanned),
	}
	if c.missing > 0 {
		p.confirmed = c.missing - 1
	}
	for _, cur := range c.cursors {
		p.lines = append(p.lines, cur.line)
	}
	return p
}
