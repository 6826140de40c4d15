package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"passbook/es/checkpoint"
)

// progress is how far a topic has come.
type progress struct {
	// history and topic are the ids that everything else is about.
	history, topic string
	// confirmed: all events up to this position are acknowledged.
	confirmed int64
	lines     []line
}

// line is how far one partition has come. Its position may be above what is
// confirmed for all: then the events of this partition in between are there
// already.
type line struct {
	// first is the partition's first offset as it was when all this was found.
	first int64
	// next is the offset behind the last record of the unbroken run, eventID
	// and position are its event's.
	next     int64
	eventID  string
	position int64
}

// highest returns the line that has come furthest.
func (p *progress) highest() line {
	var highest line
	for _, l := range p.lines {
		if l.position >= highest.position {
			highest = l
		}
	}
	return highest
}

func (p *progress) checkpoint() []checkpoint.Progress {
	saved := make([]checkpoint.Progress, len(p.lines))
	for i, l := range p.lines {
		saved[i] = checkpoint.Progress{
			History: p.history, Topic: p.topic, Partition: int32(i),
			First: l.first, Next: l.next, EventID: l.eventID, Position: l.position,
			Confirmed: p.confirmed,
		}
	}
	return saved
}

// restored returns the progress that was saved, or nil if that is none, or not
// of a piece.
func restored(saved []checkpoint.Progress) *progress {
	if len(saved) == 0 {
		return nil
	}
	p := &progress{history: saved[0].History, topic: saved[0].Topic, confirmed: saved[0].Confirmed}
	for i, s := range saved {
		if s.Partition != int32(i) || s.History != p.history || s.Topic != p.topic ||
			s.Confirmed != p.confirmed {
			return nil
		}
		p.lines = append(p.lines, line{first: s.First, next: s.Next, eventID: s.EventID, position: s.Position})
	}
	return p
}

// Confirmed returns what a relay's checkpoint says of the whole topic: all
// events up to this position were acknowledged when it was saved.
func Confirmed(saved []checkpoint.Progress) int64 {
	if p := restored(saved); p != nil {
		return p.confirmed
	}
	return 0
}

// load brings what was saved under the lease's name.
func (t *tenure) load(ctx context.Context) error {
	saved, err := t.checkpoints.Load(ctx, t.lease.Name)
	if err != nil {
		return fmt.Errorf("load checkpoint %s: %w", t.lease.Name, err)
	}
	t.at = restored(saved)
	if len(saved) > 0 && t.at == nil {
		t.config.Logger.Warn("relay cannot use its checkpoint, which is not of a piece", "reader", t.lease.Name)
	}
	t.status.confirm(Confirmed(saved))
	return nil
}

// save saves what there is to save.
func (t *tenure) save(ctx context.Context) error {
	if !t.dirty {
		return nil
	}
	t.savedAt = time.Now()
	if err := t.checkpoints.Save(ctx, t.lease, t.at.checkpoint()); err != nil {
		return fmt.Errorf("save checkpoint %s: %w", t.lease.Name, err)
	}
	t.dirty = false
	return nil
}

// saveDue saves when it is time to. That it failed matters only if the lease is
// lost: without a checkpoint the next relay reads more, that is all.
func (t *tenure) saveDue(ctx context.Context) error {
	if !t.dirty || time.Since(t.savedAt) < t.config.SaveInterval {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	err := t.save(ctx)
	if errors.Is(err, checkpoint.ErrLost) {
		return err
	}
	if err != nil {
		t.config.Logger.Warn("relay goes on without its checkpoint", "error", err)
	}
	return nil
}
