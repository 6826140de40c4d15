package replay

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/projection"
)

// reader leads a topic into a projection, without a subscriber. It remembers
// where it is, so that coming to the end again costs one look at the ends.
type reader[Tx any] struct {
	projection *projection.Projection[Tx]
	feed       bus.Feed
	topic      bus.Topic
	runMax     int
	// take, if it is there, sees the records of a run first, and returns those
	// that are to be consumed.
	take func(partition int32, records []bus.Record) ([]bus.Record, error)
	// worked is called after each run, which has committed.
	worked func(ctx context.Context, partition int32, next int64) error

	next []int64 // by partition; -1 while it is not assigned
}

// toEnd reads every partition up to the end that it has at the call.
func (r *reader[Tx]) toEnd(ctx context.Context) error {
	bounds, err := r.feed.Bounds(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("read bounds of topic %s: %w", r.topic.Name, err)
	}
	for len(r.next) < len(bounds) {
		r.next = append(r.next, -1)
	}
	for i, b := range bounds {
		partition := int32(i)
		if r.next[i] < 0 {
			assignment := bus.Assignment{Topic: r.topic, Partition: partition, Bounds: b}
			if r.next[i], err = r.projection.Assign(ctx, assignment); err != nil {
				return err
			}
		}
		for r.next[i] < b.End {
			if err := r.partition(ctx, partition, b.End); err != nil {
				return err
			}
		}
	}
	return nil
}

// partition reads one partition to an offset, or to where the projection wants
// to go on from another place.
func (r *reader[Tx]) partition(ctx context.Context, partition int32, end int64) error {
	var run []bus.Record
	for record, err := range r.feed.Read(ctx, r.topic, partition, r.next[partition], end) {
		if err != nil {
			return err
		}
		if run = append(run, record); len(run) < r.runMax {
			continue
		}
		onward, err := r.consume(ctx, partition, run, end)
		if err != nil || !onward {
			return err
		}
		run = nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(run) > 0 {
		onward, err := r.consume(ctx, partition, run, end)
		if err != nil || !onward {
			return err
		}
	}
	r.next[partition] = end // offsets may skip numbers up to the end
	return nil
}

// consume hands over one run and tells whether to read on behind it.
func (r *reader[Tx]) consume(ctx context.Context, partition int32, run []bus.Record, end int64) (bool, error) {
	behind := run[len(run)-1].Offset + 1
	if r.take != nil {
		var err error
		if run, err = r.take(partition, run); err != nil {
			return false, err
		}
	}
	next := behind
	if len(run) > 0 {
		given := run[len(run)-1].Offset + 1
		var err error
		next, err = r.projection.Consume(ctx, bus.Run{Topic: r.topic, Partition: partition, Records: run, End: end})
		if err != nil {
			return false, err
		}
		if next == given {
			next = behind
		}
	}
	r.next[partition] = next
	return next == behind, r.worked(ctx, partition, next)
}
