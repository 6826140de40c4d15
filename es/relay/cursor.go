package relay

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/event"
)

// cursor reads one partition along the comparison.
type cursor struct {
	*comparison
	partition int32
	line      line // how far the run has come
	pull      func() (bus.Record, error, bool)
	stop      func()
	limit     int64 // the offset behind the last record
	ended     bool
}

// found is an event in the topic.
type found struct {
	event.Envelope
	offset int64
}

// end is called where the run ends.
func (cur *cursor) end() {
	if !cur.ended {
		cur.ended = true
		cur.running--
		cur.stop()
	}
}

// start ends a run at once that has nothing behind it.
func (cur *cursor) start() {
	if cur.line.next >= cur.limit {
		cur.end()
	}
}

// next returns the next event of the partition, and false at its end. Records
// that are no events are counted and passed over: they can neither fill a place
// nor hide that one is empty.
func (cur *cursor) next() (found, bool, error) {
	for {
		record, err, ok := cur.pull()
		if err != nil {
			return found{}, false, fmt.Errorf("read partition %d: %w", cur.partition, err)
		}
		if !ok {
			return found{}, false, nil
		}
		history, e, err := bus.Decode(record.Message)
		switch {
		case err != nil:
			cur.status.foreign(record, err, cur.config.Logger)
			continue
		case history != cur.source.History():
			return found{}, false, fmt.Errorf("%w: partition %d has history %s at offset %d, the store is %s: give the relay a new topic",
				ErrOtherHistory, cur.partition, history, record.Offset, cur.source.History())
		case bus.Partition(e.Stream, cur.topic.Partitions) != cur.partition:
			return found{}, false, fmt.Errorf("%w: stream %s lies in partition %d of %d, where it does not belong: give the relay a new topic",
				ErrPartitions, e.Stream, cur.partition, cur.topic.Partitions)
		}
		return found{Envelope: e, offset: record.Offset}, true, nil
	}
}

// fresh returns the next event that the run does not hold yet; at the end of
// the partition it ends the run and returns false.
func (cur *cursor) fresh() (found, bool, error) {
	for {
		r, ok, err := cur.next()
		switch {
		case err != nil:
			return found{}, false, err
		case !ok:
			cur.end()
			return found{}, false, nil
		case r.Position > cur.line.position:
			return r, true, nil
		case r.Position == cur.line.position && r.ID != cur.line.eventID:
			return found{}, false, cur.differs(r, cur.line.eventID)
		}
		cur.status.repeat()
	}
}

// extend looks whether e, which is the next event of this partition behind the
// run, lies in the partition as the next one behind the run. If it does not,
// the run ends here.
func (cur *cursor) extend(ctx context.Context, e event.Envelope) (bool, error) {
	if cur.ended {
		return false, nil
	}
	r, ok, err := cur.fresh()
	switch {
	case err != nil || !ok:
		return false, err
	case r.Position < e.Position:
		// The store's event at that position is not of this partition.
		return false, cur.differs(r, "of another stream")
	case r.Position > e.Position:
		cur.end()
		return false, cur.has(ctx, r.Position, r.ID)
	case r.ID != e.ID:
		return false, cur.differs(r, e.ID)
	}
	cur.line.next, cur.line.eventID, cur.line.position = r.offset+1, r.ID, r.Position
	return true, nil
}

func (cur *cursor) differs(r found, store string) error {
	return fmt.Errorf("%w: partition %d has event %s of stream %s at offset %d for position %d, the store has event %s",
		ErrDiffers, cur.partition, r.ID, r.Stream, r.offset, r.Position, store)
}
