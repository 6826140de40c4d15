package projection

import (
	"errors"
	"fmt"
	"slices"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
)

// ErrOtherHistory: the records are of another history of the store than what
// was applied so far. Versions and positions of the two cannot be compared, so
// the partition stands still; the cure is a read model built anew.
var ErrOtherHistory = errors.New("events of another history")

// batch is what is taken of a run at once.
type batch struct {
	events []event.Envelope
	// progress is that behind the last of the events. It names that event, so
	// that it can be recognised later; records behind it that are no events
	// are read again after the next assignment.
	progress checkpoint.Progress
	// next is the offset behind the last record that was looked at.
	next int64
	// foreign counts records that are no events; reason is of the first one.
	foreign int
	reason  error
}

// unread returns those of the records that this member has not dealt with: a
// bus repeats them after an error.
func (part *partition) unread(records []bus.Record) []bus.Record {
	i := slices.IndexFunc(records, func(r bus.Record) bool { return r.Offset >= part.read })
	if i < 0 {
		return nil
	}
	return records[i:]
}

// isLast tells whether r is the record that the checkpoint is behind. Where it
// is, so are the records before it, since a relay publishes unbroken runs; only
// a tail that was lost and published again with repetitions can have the same
// event at the same offset behind others. What is passed over then shows as a
// gap when its stream goes on, and in a comparison with the store.
func (part *partition) isLast(r bus.Record) bool {
	_, e, err := bus.Decode(r.Message)
	return err == nil && r.Offset == part.believed.Next-1 && e.ID == part.believed.EventID
}

// decode takes the records up to the first one of another history. It returns
// ErrOtherHistory when that is the very first.
func (part *partition) decode(records []bus.Record) (batch, error) {
	b := batch{progress: part.believed, next: part.read}
	for _, r := range records {
		history, e, err := bus.Decode(r.Message)
		if err != nil {
			// It names no event, so that it fills no place in a stream. If it
			// was one, the gap that it leaves will show.
			b.foreign++
			if b.reason == nil {
				b.reason = fmt.Errorf("offset %d: %w", r.Offset, err)
			}
			b.next = r.Offset + 1
			continue
		}
		if known := b.progress.History; known != "" && known != history {
			if b.next > part.read {
				break
			}
			return batch{}, fmt.Errorf("%w: offset %d is of history %s, the read model is of %s; build the read model anew",
				ErrOtherHistory, r.Offset, history, known)
		}
		b.next = r.Offset + 1
		b.events = append(b.events, e)
		b.progress = checkpoint.Progress{
			History: history, Topic: part.topic.ID, Partition: part.number,
			First: part.bounds.First, Next: b.next, EventID: e.ID, Position: e.Position,
		}
	}
	return b, nil
}
