package legacy

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// partition is one partition of one of the topics.
type partition struct {
	topic  string
	number int32
}

// tail is what the topics hold behind a checkpoint.
type tail struct {
	topics []bus.Topic
	// next is the end of each partition, moved on by what is published.
	next map[partition]int64
	// first is where each partition was read from.
	first map[partition]int64
	// held are the events that are in the topics already.
	held map[place]bool
	// head is that of the store after the topics were read: whatever they hold of
	// it lies at or below.
	head int64
	// empty: no topic holds any record.
	empty bool
}

// number gives a partition of the topics one number, as checkpoints want it.
func (t *tail) numberOf(p partition) int32 {
	for i, topic := range t.topics {
		if topic.Name == p.topic {
			return int32(i)<<16 | p.number
		}
	}
	return -1
}

// readTail reads the topics from where the checkpoint says that all was dealt
// with, or from their beginning.
func (b *Bridge) readTail(ctx context.Context, saved []checkpoint.Progress) (*tail, error) {
	topics, err := b.cluster.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the topics: %w", err)
	}
	t := &tail{
		topics: topics, empty: true,
		next: make(map[partition]int64), first: make(map[partition]int64), held: make(map[place]bool),
	}
	known := make(map[int32]checkpoint.Progress, len(saved))
	for _, p := range saved {
		known[p.Partition] = p
	}
	for _, topic := range topics {
		bounds, err := b.cluster.Bounds(ctx, topic)
		if err != nil {
			return nil, fmt.Errorf("bounds of topic %s: %w", topic.Name, err)
		}
		for number, bound := range bounds {
			p := partition{topic.Name, int32(number)}
			from := bound.First
			if at, ok := known[t.numberOf(p)]; ok && at.Topic == topic.ID && at.Next <= bound.End && at.Next > from {
				from = at.Next
			}
			t.first[p], t.next[p] = from, bound.End
			t.empty = t.empty && bound.First == bound.End
			if err := b.readPartition(ctx, t, topic, p); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (b *Bridge) readPartition(ctx context.Context, t *tail, topic bus.Topic, p partition) error {
	for record, err := range b.cluster.Read(ctx, topic, p.number, t.first[p], t.next[p]) {
		if err != nil {
			return fmt.Errorf("read topic %s: %w", topic.Name, err)
		}
		if at, ok := placeOf(record.Value); ok {
			t.held[at] = true
		}
	}
	return nil
}

// progress is what the checkpoint keeps: with every event up to position in the
// topics, what lies behind these offsets has to be read again. As long as
// position has not passed what was found when the topics were read, that is all
// that was read then: it may hold events behind position.
func (t *tail) progress(history string, position int64) []checkpoint.Progress {
	ids := make(map[string]string, len(t.topics))
	for _, topic := range t.topics {
		ids[topic.Name] = topic.ID
	}
	all := make([]checkpoint.Progress, 0, len(t.next))
	for p, next := range t.next {
		if position < t.head {
			next = t.first[p]
		}
		all = append(all, checkpoint.Progress{
			History: history, Topic: ids[p.topic], Partition: t.numberOf(p), Next: next, Confirmed: position,
		})
	}
	return all
}
