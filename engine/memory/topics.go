package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"passbook/es/bus"
)

// Topics is a broker in memory: bus.Topics without groups, so that what is in a
// topic is read by its offsets. Nothing is ever compacted. Safe for concurrent
// use.
type Topics struct {
	mu     sync.Mutex
	lives  int
	byName map[string]*topic
}

type topic struct {
	bus.Topic
	records [][]bus.Record // by partition, the offset being the index
}

var _ bus.Topics = (*Topics)(nil)

// NewTopics returns a broker without topics.
func NewTopics() *Topics { return &Topics{byName: make(map[string]*topic)} }

// Topic implements bus.Topics.
func (t *Topics) Topic(name string, settings bus.TopicSettings) bus.Feed {
	return &feed{topics: t, name: name, partitions: max(settings.Partitions, 1)}
}

// Find implements bus.Topics.
func (t *Topics) Find(ctx context.Context, name string) (bus.Topic, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.byName[name]
	if !ok {
		return bus.Topic{}, fmt.Errorf("topic %s: %w", name, bus.ErrNoTopic)
	}
	return found.Topic, ctx.Err()
}

// List implements bus.Topics.
func (t *Topics) List(ctx context.Context, prefix string) (found []bus.Topic, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(t.byName)) {
		if strings.HasPrefix(name, prefix) {
			found = append(found, t.byName[name].Topic)
		}
	}
	return found, ctx.Err()
}

// Delete implements bus.Topics.
func (t *Topics) Delete(ctx context.Context, topic bus.Topic) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.byName[topic.Name]; ok && found.Topic == topic && ctx.Err() == nil {
		delete(t.byName, topic.Name)
	}
	return ctx.Err()
}

// feed is one topic of Topics.
type feed struct {
	topics     *Topics
	name       string
	partitions int32
}

// Open implements bus.Feed.
func (f *feed) Open(ctx context.Context) (bus.Topic, error) {
	f.topics.mu.Lock()
	defer f.topics.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return bus.Topic{}, err
	}
	found, ok := f.topics.byName[f.name]
	if !ok {
		f.topics.lives++
		found = &topic{
			Topic:   bus.Topic{Name: f.name, ID: fmt.Sprint("life-", f.topics.lives), Partitions: f.partitions},
			records: make([][]bus.Record, f.partitions),
		}
		f.topics.byName[f.name] = found
	}
	return found.Topic, nil
}

// with does something to a life of the topic.
func (f *feed) with(ctx context.Context, life bus.Topic, do func(t *topic) error) error {
	f.topics.mu.Lock()
	defer f.topics.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	found, ok := f.topics.byName[f.name]
	if !ok || found.Topic != life {
		return fmt.Errorf("topic %s: %w", f.name, bus.ErrTopicChanged)
	}
	return do(found)
}

// Bounds implements bus.Feed.
func (f *feed) Bounds(ctx context.Context, life bus.Topic) (bounds []bus.Bounds, err error) {
	err = f.with(ctx, life, func(t *topic) error {
		for _, records := range t.records {
			bounds = append(bounds, bus.Bounds{End: int64(len(records))})
		}
		return nil
	})
	return bounds, err
}

// Read implements bus.Feed.
func (f *feed) Read(
	ctx context.Context, life bus.Topic, partition int32, from, end int64,
) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		for offset := from; offset < end; offset++ {
			var record bus.Record
			err := f.with(ctx, life, func(t *topic) error {
				if offset < 0 || offset >= int64(len(t.records[partition])) {
					return fmt.Errorf("topic %s, partition %d: there is no offset %d", f.name, partition, offset)
				}
				record = t.records[partition][offset]
				return nil
			})
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// Producer implements bus.Feed.
func (f *feed) Producer(ctx context.Context, life bus.Topic) (bus.Producer, error) {
	return &producer{feed: f, life: life}, f.with(ctx, life, func(*topic) error { return nil })
}
