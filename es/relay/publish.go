package relay

import (
	"context"
	"fmt"

	"passbook/es/bus"
)

// drain publishes what the store holds behind what is confirmed: so many pages
// at most, or all of them for 0.
func (l *lap) drain(ctx context.Context, most int) error {
	already := make([]int64, len(l.at.lines))
	for p := range l.at.lines {
		already[p] = l.at.lines[p].position
	}
	count := 0
	for page, err := range l.pages(ctx, l.at.confirmed, already) {
		if err != nil {
			return err
		}
		if err := l.publish(ctx, page); err != nil {
			return err
		}
		if err := l.upkeep(ctx); err != nil {
			return err
		}
		if count++; count == most {
			break
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // it may have ended the reading early
	}
	return nil
}

// publish brings one page into the topic, and notes that it is there.
func (l *lap) publish(ctx context.Context, p page) error {
	if len(p.records) > 0 {
		if !l.valid() {
			return errLeaseOver
		}
		offsets, err := l.producer.Publish(ctx, p.records)
		if err != nil {
			return fmt.Errorf("publish positions %d to %d: %w", p.marks[0].position, p.last, err)
		}
		if len(offsets) != len(p.records) {
			return fmt.Errorf("publish positions %d to %d: %d offsets for %d records",
				p.marks[0].position, p.last, len(offsets), len(p.records))
		}
		if err := l.note(ctx, p, offsets); err != nil {
			return err
		}
	}
	l.at.confirmed = p.last
	l.dirty = true
	l.status.published(int64(len(p.records)))
	l.worked()
	return nil
}

// note extends the partitions' runs by records that were acknowledged. An
// acknowledgement alone does not prove that a record joins the run: the broker
// may have lost the end of it before.
func (l *lap) note(ctx context.Context, p page, offsets []int64) error {
	for i, record := range p.records {
		known, offset := &l.at.lines[record.Partition], offsets[i]
		if offset < known.next {
			return fmt.Errorf("topic %s, partition %d: %w: position %d got offset %d, which was position %d's before",
				l.topic.Name, record.Partition, errTailLost, p.marks[i].position, offset, known.position)
		}
		if !l.sound[record.Partition] || offset > known.next {
			// The first record of this producer, or somebody else's before it:
			// only now it is certain that the end of the run was not lost.
			if err := l.standing(ctx, record.Partition, *known); err != nil {
				return err
			}
			l.sound[record.Partition] = true
		}
		known.next, known.position, known.eventID = offset+1, p.marks[i].position, p.marks[i].eventID
	}
	return nil
}

// standing checks that the last record of a run is still there.
func (l *lap) standing(ctx context.Context, partition int32, known line) error {
	if known.position == 0 {
		return nil
	}
	for record, err := range l.feed.Read(ctx, l.topic, partition, known.next-1, known.next) {
		if err != nil {
			return fmt.Errorf("read topic %s, partition %d: %w", l.topic.Name, partition, err)
		}
		if _, e, err := bus.Decode(record.Message); err == nil && e.ID == known.eventID {
			return nil
		}
	}
	return fmt.Errorf("topic %s, partition %d: %w: the record of position %d is gone from offset %d",
		l.topic.Name, partition, errTailLost, known.position, known.next-1)
}
