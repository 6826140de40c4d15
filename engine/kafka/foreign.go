package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

// Foreign are topics whose consumers are not ours, and which may have been made
// by others: their settings are taken as they are. A record goes to the partition
// of its key, by Kafka's own rule. Safe for concurrent use.
type Foreign struct {
	buses map[string]*Bus
	names []string
	base  *Bus
}

// NewForeign returns the topics of those names. Of config it uses everything but
// Topic and what is said of consumer groups. It does not call any broker yet.
func NewForeign(config Config, names ...string) (*Foreign, error) {
	f := &Foreign{buses: make(map[string]*Bus, len(names)), names: names}
	for _, name := range names {
		config.Topic = name
		b, err := newBus(config)
		if err != nil {
			f.Close()
			return nil, err
		}
		f.buses[name] = b
		f.base = b
	}
	if f.base == nil {
		return nil, errors.New("kafka: no topic is named")
	}
	f.base.config.warnOfPlainPassword() // once
	return f, nil
}

// Close ends the connections.
func (f *Foreign) Close() {
	for _, b := range f.buses {
		b.Close()
	}
}

// Open returns the topics, in the order of their names in NewForeign, and makes
// those that are missing, with settings under which nothing is ever deleted.
func (f *Foreign) Open(ctx context.Context) ([]bus.Topic, error) {
	topics := make([]bus.Topic, 0, len(f.names))
	for _, name := range f.names {
		b := f.buses[name]
		s, err := b.look(ctx, b.admin)
		if errors.Is(err, errNoTopic) {
			s, err = b.create(ctx)
		}
		if err != nil {
			return nil, err
		}
		topics = append(topics, s.topic)
	}
	return topics, nil
}

// Bounds returns the bounds of each partition; see bus.Feed.
func (f *Foreign) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	return f.buses[topic.Name].Bounds(ctx, topic)
}

// Read yields the records of a range; see bus.Feed.
func (f *Foreign) Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error] {
	return f.buses[topic.Name].Read(ctx, topic, partition, from, end)
}

// Committed returns, for each of the topics, the offset behind what a group has
// dealt with, by partition; 0 where it has not committed any. known tells whether
// there is such a group for these topics at all: one that has committed, or has
// members that subscribe to one of them.
func (f *Foreign) Committed(ctx context.Context, group string) (offsets map[string][]int64, known bool, err error) {
	admin := kadm.NewClient(f.base.admin)
	fetched, err := admin.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, false, fmt.Errorf("fetch offsets of group %s: %w", group, err)
	}
	offsets = make(map[string][]int64, len(f.names))
	for _, name := range f.names {
		for partition, response := range fetched[name] {
			if response.Err != nil {
				return nil, false, fmt.Errorf("fetch offsets of group %s: %w", group, response.Err)
			}
			if response.At < 0 {
				continue
			}
			known = true
			for len(offsets[name]) <= int(partition) {
				offsets[name] = append(offsets[name], 0)
			}
			offsets[name][partition] = response.At
		}
	}
	if known {
		return offsets, true, nil
	}
	known, err = f.subscribed(ctx, admin, group)
	return offsets, known, err
}

// subscribed tells whether a group has a member that wants one of the topics, or
// may have: while a group rebalances, brokers do not tell what its members want.
func (f *Foreign) subscribed(ctx context.Context, admin *kadm.Client, group string) (bool, error) {
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return false, fmt.Errorf("describe group %s: %w", group, err)
	}
	if found := described[group]; len(found.Members) > 0 && found.State != "Stable" {
		return true, nil
	}
	for _, member := range described[group].Members {
		if join, ok := member.Join.AsConsumer(); ok && slices.ContainsFunc(join.Topics, func(topic string) bool {
			return slices.Contains(f.names, topic)
		}) {
			return true, nil
		}
	}
	return false, nil
}

// Producer returns a producer for single records.
func (f *Foreign) Producer() (*ForeignProducer, error) {
	client, err := f.base.client(
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0),
		kgo.StopProducerOnDataLossDetected(),
	)
	if err != nil {
		return nil, err
	}
	return &ForeignProducer{client: client}, nil
}

// ForeignProducer publishes records one by one; several may be under way at the
// same time. Safe for concurrent use. After an error only a new producer can go
// on, from what is then found in the topics.
type ForeignProducer struct{ client *kgo.Client }

// Publish returns once the record is as durable as the topic can make it, with
// its place. With an error it may have arrived or not. It tries again until ctx
// ends.
func (p *ForeignProducer) Publish(ctx context.Context, topic string, m bus.Message) (partition int32, offset int64, err error) {
	record := &kgo.Record{Topic: topic, Key: []byte(m.Key), Value: m.Value, Timestamp: m.Time}
	for _, h := range m.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: []byte(h.Value)})
	}
	placed, err := p.client.ProduceSync(ctx, record).First()
	if err != nil {
		return 0, 0, fmt.Errorf("publish to topic %s: %w", topic, err)
	}
	return placed.Partition, placed.Offset, nil
}

// Close ends the producer. What is under way may arrive or not.
func (p *ForeignProducer) Close() { p.client.Close() }
