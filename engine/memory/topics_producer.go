package memory

import (
	"context"
	"errors"
	"fmt"

	"passbook/es/bus"
)

var errProducerClosed = errors.New("producer is closed")

// producer is a bus.Producer; after an error it publishes nothing more.
type producer struct {
	feed *feed
	life bus.Topic
	dead error
}

// Publish implements bus.Producer: all or nothing.
func (p *producer) Publish(ctx context.Context, records []bus.Placed) (offsets []int64, err error) {
	if p.dead != nil {
		return nil, p.dead
	}
	p.dead = p.feed.with(ctx, p.life, func(t *topic) error {
		for _, r := range records {
			if r.Partition < 0 || r.Partition >= p.life.Partitions {
				return fmt.Errorf("topic %s: partition %d of %d", p.life.Name, r.Partition, p.life.Partitions)
			}
		}
		for _, r := range records {
			offset := int64(len(t.records[r.Partition]))
			t.records[r.Partition] = append(t.records[r.Partition],
				bus.Record{Message: r.Message, Partition: r.Partition, Offset: offset})
			offsets = append(offsets, offset)
		}
		return nil
	})
	if p.dead != nil {
		return nil, p.dead
	}
	return offsets, nil
}

// Close implements bus.Producer.
func (p *producer) Close() {
	if p.dead == nil {
		p.dead = errProducerClosed
	}
}
