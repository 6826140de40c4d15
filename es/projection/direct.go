package projection

import (
	"context"
	"iter"

	"passbook/es/bus"
)

// Feed is as much of a topic as reading it without a subscriber takes. Every
// bus.Feed is one.
type Feed interface {
	// Bounds returns first and end offset of each partition.
	Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error)
	// Read yields the records of a partition with from <= offset < end.
	Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error]
}

// RunOnce consumes one run of each partition, Config.RunMax records, and
// reports whether there is more. Partitions are assigned anew each time and are
// given back at the end, also after an error, which ends it at once. It must
// not be called beside Run, nor twice at the same moment.
func (p *Projection[Tx]) RunOnce(ctx context.Context, feed Feed, topic bus.Topic) (more bool, err error) {
	return p.runDirect(ctx, feed, topic, 1)
}

// RunToEnd consumes every partition up to the end that it has at the call, and
// tries parked streams again before it and whenever a queue was too long for
// one transaction, so that it leaves what a Run would leave that had the time.
// For its errors and limits see RunOnce.
func (p *Projection[Tx]) RunToEnd(ctx context.Context, feed Feed, topic bus.Topic) error {
	if _, err := p.RedriveAll(ctx); err != nil {
		return err
	}
	if _, err := p.runDirect(ctx, feed, topic, 0); err != nil {
		return err
	}
	_, err := p.RedriveAll(ctx)
	return err
}

func (p *Projection[Tx]) runDirect(ctx context.Context, feed Feed, topic bus.Topic, runs int) (more bool, err error) {
	bounds, err := feed.Bounds(ctx, topic)
	if err != nil {
		return false, err
	}
	for number, b := range bounds {
		part := direct[Tx]{p: p, feed: feed, topic: topic, number: int32(number), bounds: b}
		next, err := part.run(ctx, runs)
		if err != nil {
			return false, err
		}
		more = more || next < b.End
	}
	return more, nil
}

// direct leads one partition of a feed to Consume.
type direct[Tx any] struct {
	p      *Projection[Tx]
	feed   Feed
	topic  bus.Topic
	number int32
	bounds bus.Bounds
}

// run consumes up to the end, in a number of runs at most, 0 for any, and
// returns the offset behind them.
func (d direct[Tx]) run(ctx context.Context, runs int) (next int64, err error) {
	defer d.p.Revoke(d.number)
	next, err = d.p.Assign(ctx, bus.Assignment{Topic: d.topic, Partition: d.number, Bounds: d.bounds})
	limit := d.p.config.RunMax + 1 // the first record may be one to recognise
	for n := 0; err == nil && next < d.bounds.End && (runs == 0 || n < runs); {
		var records []bus.Record
		if records, err = d.read(ctx, next, limit); err != nil {
			break
		}
		if len(records) == 0 { // offsets may skip numbers up to the end
			return d.bounds.End, nil
		}
		from := next
		next, err = d.p.Consume(ctx, bus.Run{
			Topic: d.topic, Partition: d.number, Records: records, End: d.bounds.End,
		})
		// A run that is not full was the last one, which the next read will show,
		// and one that sent the reader elsewhere was none.
		if len(records) == limit && next > from {
			n++
			limit = d.p.config.RunMax
		}
	}
	return next, err
}

func (d direct[Tx]) read(ctx context.Context, from int64, limit int) (records []bus.Record, err error) {
	for r, err := range d.feed.Read(ctx, d.topic, d.number, from, d.bounds.End) {
		if err != nil {
			return nil, err
		}
		if records = append(records, r); len(records) == limit {
			break
		}
	}
	return records, nil
}
