package projection

import (
	"context"
	"errors"
	"fmt"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// ErrFeedTruncated: the partition starts above offset 0, and nothing shows that
// what was deleted there had been applied. Nothing of it is applied before the
// events are published again, to a new topic.
var ErrFeedTruncated = errors.New("feed truncated")

// Assign implements bus.Consumer. It goes on at the checkpoint, one record
// before it, which Consume then has to recognise; where the checkpoint cannot
// be of this topic, the partition is read from its beginning, and the gate
// passes over what was applied. It returns ErrFeedTruncated where there is no
// beginning any more.
func (p *Projection[Tx]) Assign(ctx context.Context, a bus.Assignment) (int64, error) {
	part := &partition{
		number: a.Partition, topic: a.Topic, bounds: a.Bounds,
		status: PartitionStatus{Partition: a.Partition, TopicID: a.Topic.ID, End: a.Bounds.End},
	}
	progress, err := p.progress(ctx, a.Partition)
	if err == nil {
		err = p.resume(part, progress, a.Bounds)
	}
	if err != nil {
		err = fmt.Errorf("projection %s: partition %d of topic %s: %w", p.name, a.Partition, a.Topic.Name, err)
	}
	part.ready = err == nil
	p.keep(part)
	p.show(part, a.Bounds.End, err)
	if err != nil {
		return 0, err
	}
	p.requestSweep()
	return part.read, nil
}

// Revoke implements bus.Consumer.
func (p *Projection[Tx]) Revoke(number int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.partitions, number)
}

func (p *Projection[Tx]) keep(part *partition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partitions[part.number] = part
}

func (p *Projection[Tx]) progress(ctx context.Context, number int32) (checkpoint.Progress, error) {
	progress := checkpoint.Progress{Partition: number}
	err := p.store.View(ctx, func(tx Tx) error {
		all, err := p.store.Checkpoints(ctx, tx, p.name)
		for _, c := range all {
			if c.Partition == number {
				progress = c
			}
		}
		return err
	})
	return progress, err
}

// resume sets where the partition is read from, on top of that progress.
func (p *Projection[Tx]) resume(part *partition, progress checkpoint.Progress, bounds bus.Bounds) error {
	part.believed = progress
	switch {
	case progress.Topic == "":
		return p.begin(part, "nothing of it was read yet")
	case progress.Topic != part.topic.ID:
		return p.begin(part, fmt.Sprintf("the checkpoint is of topic id %s, this is %s", progress.Topic, part.topic.ID))
	case progress.Next > bounds.End:
		return p.begin(part, fmt.Sprintf("the checkpoint is at offset %d, behind the end at %d", progress.Next, bounds.End))
	case progress.Next < bounds.First:
		return fmt.Errorf("%w: records %d to %d were deleted before they were read; publish the events to a new topic",
			ErrFeedTruncated, progress.Next, bounds.First-1)
	case progress.Next == bounds.First:
		// The record before is gone, and with it the proof, but so is nothing else.
		part.read, part.verify = progress.Next, false
	default:
		part.read, part.verify = progress.Next-1, true
	}
	return nil
}

// begin makes the partition be read from its beginning, for that reason.
func (p *Projection[Tx]) begin(part *partition, reason string) error {
	if first := part.bounds.First; first > 0 {
		return fmt.Errorf("%w: it has to be read from its beginning (%s), but records 0 to %d were deleted; "+
			"publish the events to a new topic", ErrFeedTruncated, reason, first-1)
	}
	part.read, part.verify = 0, false
	if part.believed.Topic != "" {
		p.count(Counts{Rewinds: 1})
		p.config.Logger.Warn("partition is read again from its beginning",
			"consumer", p.name, "partition", part.number, "reason", reason)
	}
	return nil
}
