package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"passbook/es/bus"
)

// readPatience is for how long Read tries again without getting any further,
// because brokers cannot be reached or leaders move.
const readPatience = 10 * time.Second

// Read yields the records of a range; see bus.Feed. A range that reaches
// beyond the end is one whose records are gone: Read does not wait for more.
func (b *Bus) Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		fail := func(err error) {
			yield(bus.Record{}, fmt.Errorf("read topic %s, partition %d, offsets %d to %d: %w", topic.Name, partition, from, end, err))
		}
		if partition < 0 || partition >= topic.Partitions {
			fail(fmt.Errorf("there are %d partitions", topic.Partitions))
			return
		}
		at := position{partition: partition, offset: from, epoch: -1}
		for at.offset < end {
			h, err := b.readOn(ctx, topic, at, end)
			if err != nil {
				fail(err)
				return
			}
			for _, r := range h.records {
				if r.Offset >= end || !yield(r, nil) {
					return
				}
			}
			at = h.next
		}
	}
}

// readOn returns the next haul, which goes further than at, trying again for
// a while.
func (b *Bus) readOn(ctx context.Context, topic bus.Topic, at position, end int64) (haul, error) {
	for started, failures := time.Now(), 1; ; failures++ {
		h, err := b.readOnce(ctx, topic, at, end)
		switch {
		case err == nil && h.next.offset > at.offset:
			return h, nil
		case err == nil:
			err = b.stillThere(ctx, topic, at.partition, end)
		}
		if errors.Is(err, bus.ErrTopicChanged) || errors.Is(err, errGone) || ctx.Err() != nil {
			return haul{}, err
		}
		if err != nil && time.Since(started) > readPatience {
			return haul{}, err
		}
		if !wait(ctx, pauseAfter(failures, 10*time.Millisecond, time.Second)) {
			return haul{}, ctx.Err()
		}
	}
}

func (b *Bus) readOnce(ctx context.Context, topic bus.Topic, at position, end int64) (haul, error) {
	s, err := b.check(ctx, b.admin, topic)
	if err != nil {
		return haul{}, err
	}
	hauls, idsKnown, err := fetch(ctx, b.admin, request{
		topic:     topic,
		broker:    s.leaders[at.partition],
		positions: []position{at},
		wait:      100 * time.Millisecond,
		// One record is often all that is wanted.
		bytesMax: int32(16+min(end-at.offset, 512)) << 10, //nolint:gosec // half a MiB: many partitions are read side by side
	})
	if err != nil {
		return haul{}, err
	}
	if h := hauls[0]; h.err != nil {
		return haul{}, h.err
	}
	if !idsKnown {
		if _, err := b.check(ctx, b.admin, topic); err != nil {
			return haul{}, err
		}
	}
	return hauls[0], nil
}

// stillThere returns errGone if the partition ends before end. Just after a
// change of leaders a broker shows less than it has; asked for its bounds it
// then refuses to tell.
func (b *Bus) stillThere(ctx context.Context, topic bus.Topic, partition int32, end int64) error {
	found, err := b.bounds(ctx, b.admin, topic, []int32{partition})
	if err != nil {
		return err
	}
	if found[0].End < end {
		return fmt.Errorf("%w: the partition ends at %d", errGone, found[0].End)
	}
	return nil
}
