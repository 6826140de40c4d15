package projection

import (
	"context"
	"errors"
	"fmt"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// movedError: the checkpoint is not the one that this member knows. Another one
// has gone on while this one was paused, or a commit whose outcome was unknown
// did take place; the checkpoint tells where to go on either way.
type movedError struct{ current checkpoint.Progress }

func (m *movedError) Error() string {
	return fmt.Sprintf("the checkpoint is at offset %d (topic id %s)", m.current.Next, m.current.Topic)
}

// Consume implements bus.Consumer: the run's events and the checkpoint behind
// them are committed together. It returns another offset than the one behind
// the run where the checkpoint was moved by somebody else, or where the first
// record is not the one that the checkpoint names. Errors of the engine are
// returned as they are, and so are ErrOtherHistory and ErrFeedTruncated; after
// any of them the run is to be given again.
func (p *Projection[Tx]) Consume(ctx context.Context, run bus.Run) (int64, error) {
	return p.consumeBy(ctx, run, func(ctx context.Context, l load) error { return p.commit(ctx, l) })
}

// committer commits one batch, by itself or with others.
type committer func(ctx context.Context, l load) error

func (p *Projection[Tx]) consumeBy(ctx context.Context, run bus.Run, commit committer) (int64, error) {
	part, err := p.assigned(run)
	if err != nil {
		return 0, err
	}
	err = p.consume(ctx, part, run, commit)
	if errors.Is(err, ErrOtherHistory) || errors.Is(err, ErrFeedTruncated) {
		err = p.lookAgain(ctx, part, err)
	}
	if err != nil {
		err = fmt.Errorf("projection %s: partition %d of topic %s: %w", p.name, run.Partition, run.Topic.Name, err)
	}
	p.show(part, run.End, err)
	if err != nil {
		return 0, err
	}
	return part.read, nil
}

// consume takes a run and leaves in part.read where to go on.
func (p *Projection[Tx]) consume(ctx context.Context, part *partition, run bus.Run, commit committer) error {
	records := part.unread(run.Records)
	if len(records) > 0 && part.verify {
		if !part.isLast(records[0]) {
			return p.begin(part, fmt.Sprintf("the record at offset %d is not event %s, which the checkpoint names",
				part.believed.Next-1, part.believed.EventID))
		}
		part.read, part.verify = part.believed.Next, false
		records = records[1:]
	}
	if len(records) == 0 {
		return nil
	}
	b, err := part.decode(records)
	if err != nil {
		return err
	}
	if len(b.events) > 0 {
		err = commit(ctx, load{part, b})
		if moved, ok := errors.AsType[*movedError](err); ok {
			return p.adopt(part, moved.current)
		}
		if err != nil {
			return err
		}
		part.believed = b.progress
	}
	part.read = b.next
	if b.foreign > 0 {
		p.count(Counts{Foreign: int64(b.foreign)})
		p.config.Logger.Warn("records that are no events were passed over",
			"consumer", p.name, "partition", part.number, "records", b.foreign, "first", b.reason)
	}
	return nil
}

// lookAgain is called where what is known of the checkpoint keeps the partition
// from going on, so that no transaction would find out that it was moved: by a
// line that was built anew and has taken the place of this one.
func (p *Projection[Tx]) lookAgain(ctx context.Context, part *partition, why error) error {
	current, err := p.progress(ctx, part.number)
	if err != nil {
		return errors.Join(why, err)
	}
	if current == part.believed {
		return why
	}
	return p.adopt(part, current)
}

// adopt goes on from a checkpoint that somebody else has moved.
func (p *Projection[Tx]) adopt(part *partition, current checkpoint.Progress) error {
	p.count(Counts{Fenced: 1})
	p.config.Logger.Info("checkpoint was moved by another member, or by a commit without an answer",
		"consumer", p.name, "partition", part.number, "from", part.believed.Next, "to", current.Next)
	// What the other made visible was not signalled here.
	p.waiters.wakeAll()
	// The end is only known as of the last assignment, and whoever moved the
	// checkpoint has read up to it. If that is wrong, the bus assigns anew.
	bounds := bus.Bounds{First: part.bounds.First, End: max(part.bounds.End, current.Next)}
	return p.resume(part, current, bounds)
}
