package relay_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// careless is a simple relay with at most one of the faults that such programs
// have. It shows that the tests of the real one can fail.
type careless struct {
	// tailOnly: each partition goes on behind its last record, whatever is
	// missing before that.
	tailOnly bool
	// numberOnly: the checkpoint is a position, and nobody looks whether the
	// topic is still the one, and still as long.
	numberOnly bool
	// goesOn: after a failed call the next page is published.
	goesOn bool
}

// start is a starter.
func (c careless) start(m *mortal, holder string) (once, toEnd runner) {
	run := func(most int) runner {
		return func(ctx context.Context) error { return c.run(ctx, m, holder, most) }
	}
	return run(1), run(1000)
}

func (c careless) run(ctx context.Context, m *mortal, holder string, most int) error {
	checkpoints, feed := mortalCheckpoints{m}, mortalFeed{m}
	lease, err := checkpoints.Acquire(ctx, "relay", holder, time.Hour)
	if err != nil {
		return err
	}
	topic, err := feed.Open(ctx)
	if err != nil {
		return err
	}
	reached, err := c.resume(ctx, m, topic)
	if err != nil {
		return err
	}
	failed := c.publish(ctx, m, topic, reached, most)
	if failed != nil && !c.goesOn {
		return failed
	}
	if err := checkpoints.Save(ctx, lease, reached); err != nil {
		return err
	}
	return checkpoints.Release(ctx, lease)
}

// resume returns the position that each partition has reached.
func (c careless) resume(ctx context.Context, m *mortal, topic bus.Topic) ([]checkpoint.Progress, error) {
	reached := make([]checkpoint.Progress, topic.Partitions)
	for p := range reached {
		reached[p].Partition = int32(p)
	}
	if c.numberOnly {
		saved, err := mortalCheckpoints{m}.Load(ctx, "relay")
		if err != nil || len(saved) > 0 {
			return saved, err
		}
	}
	bounds, err := mortalFeed{m}.Bounds(ctx, topic)
	if err != nil {
		return nil, err
	}
	for p, b := range bounds {
		expected := m.store.all()
		partition := reached[p].Partition
		for record, err := range (mortalFeed{m}).Read(ctx, topic, partition, b.First, b.End) {
			if err != nil {
				return nil, err
			}
			_, e, err := bus.Decode(record.Message)
			if err != nil {
				continue
			}
			expected = skipTo(expected, partition)
			switch {
			case c.tailOnly:
				reached[p].Position = e.Position
			case len(expected) > 0 && expected[0].Position == e.Position:
				reached[p].Position, expected = e.Position, expected[1:]
			}
		}
	}
	return reached, nil
}

func (c careless) publish(
	ctx context.Context, m *mortal, topic bus.Topic, reached []checkpoint.Progress, most int,
) (failed error) {
	pages := c.pages(m, topic, reached)
	for _, page := range pages[:min(most, len(pages))] {
		producer, err := mortalFeed{m}.Producer(ctx, topic)
		if err != nil {
			return err
		}
		_, err = producer.Publish(ctx, page)
		producer.Close()
		if failed = errors.Join(failed, err); failed != nil && !c.goesOn {
			return failed
		}
		for _, r := range page {
			if _, e, err := bus.Decode(r.Message); err == nil {
				reached[r.Partition].Position = e.Position
			}
		}
	}
	return failed
}

// pages returns what is to be published.
func (c careless) pages(m *mortal, topic bus.Topic, reached []checkpoint.Progress) [][]bus.Placed {
	const pageEvents = 5
	var records []bus.Placed
	for _, e := range m.store.all() {
		if p := bus.Partition(e.Stream, topic.Partitions); e.Position > reached[p].Position {
			records = append(records, bus.Placed{Message: bus.Encode(m.store.id, e), Partition: p})
		}
	}
	return slices.Collect(slices.Chunk(records, pageEvents))
}
