package replay

import (
	"context"
	"fmt"
	"sync"

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
	// that are to be consumed. It is called for several partitions at once, and so
	// is worked.
	take func(partition int32, records []bus.Record) ([]bus.Record, error)
	// worked is called after each run, which has committed.
	worked func(ctx context.Context, partition int32, next int64) error

	next []int64 // by partition; -1 while it is not assigned
}

// readersMax is how many partitions are read at the same time, each into
// transactions of its own: while one waits for the database, others decode.
const readersMax = 4

// toEnd reads every partition up to the end that it has at the call.
func (r *reader[Tx]) toEnd(ctx context.Context) error {
	bounds, err := r.feed.Bounds(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("read bounds of topic %s: %w", r.topic.Name, err)
	}
	for len(r.next) < len(bounds) {
		r.next = append(r.next, -1)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, readersMax)
	var readers sync.WaitGroup
	for i, b := range bounds {
		partition := int32(i)
		readers.Go(func() {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-turns }()
			if err := r.toEndOf(ctx, partition, b); err != nil {
				cancel(err)
			}
		})
	}
	readers.Wait()
	return context.Cause(ctx)
}

// toEndOf reads one partition, which is assigned the first time.
func (r *reader[Tx]) toEndOf(ctx context.Context, partition int32, b bus.Bounds) (err error) {
	if r.next[partition] < 0 {
		assignment := bus.Assignment{Topic: r.topic, Partition: partition, Bounds: b}
		if r.next[partition], err = r.projection.Assign(ctx, assignment); err != nil {
			return err
		}
	}
	for r.next[partition] < b.End {
		if err := r.partition(ctx, partition, b.End); err != nil {
			return err
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
