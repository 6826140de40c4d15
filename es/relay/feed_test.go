package relay_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"passbook/es/bus"
)

var (
	errRefused  = errors.New("record refused")
	errDataLoss = errors.New("producer's own records are gone")
)

// broker is an exact bus.Feed in memory, and everything that can happen to one.
type broker struct {
	mu     sync.Mutex
	topic  bus.Topic
	lives  int
	serial int64
	logs   []partitionLog

	// wrong is what Open says.
	wrong error
	// onPublish is asked before a call publishes anything, without the lock.
	onPublish func(records []bus.Placed) outcome
	// forgetful brokers do not notice that a producer's own records are gone.
	forgetful bool
	// open are the producers that were not closed.
	open int
}

type partitionLog struct {
	first   int64
	records []stored
}

type stored struct {
	bus.Record
	serial int64
}

func (l *partitionLog) end() int64 { return l.first + int64(len(l.records)) }

// outcome is what becomes of a call of Publish.
type outcome struct {
	err error
	// arrive limits how many records arrive in each partition; nil is no limit.
	arrive func(partition int32) int
}

func newBroker(partitions int32) *broker {
	b := &broker{topic: bus.Topic{Name: "events", Partitions: partitions}}
	b.recreate()
	return b
}

// recreate deletes the topic and makes it again.
func (b *broker) recreate() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lives++
	b.topic.ID = fmt.Sprint("life-", b.lives)
	b.logs = make([]partitionLog, b.topic.Partitions)
}

// grow gives the topic more partitions.
func (b *broker) grow(partitions int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs = append(b.logs, make([]partitionLog, partitions-b.topic.Partitions)...)
	b.topic.Partitions = partitions
}

func (b *broker) setOnPublish(hook func([]bus.Placed) outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onPublish = hook
}

func (b *broker) setWrong(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = err
}

// loseTail takes the last n records of a partition away.
func (b *broker) loseTail(partition int32, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.logs[partition]
	l.records = l.records[:max(len(l.records)-n, 0)]
}

// truncate takes the first n records of a partition away.
func (b *broker) truncate(partition int32, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.logs[partition]
	n = min(n, len(l.records))
	l.first += int64(n)
	l.records = l.records[n:]
}

// put writes a record past every rule.
func (b *broker) put(partition int32, message bus.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(partition, message)
}

func (b *broker) add(partition int32, message bus.Message) stored {
	l := &b.logs[partition]
	b.serial++
	record := bus.Record{Message: message, Partition: partition, Offset: l.end()}
	l.records = append(l.records, stored{record, b.serial})
	return l.records[len(l.records)-1]
}

// records returns what a partition holds.
func (b *broker) records(partition int32) []bus.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []bus.Record
	for _, r := range b.logs[partition].records {
		all = append(all, r.Record)
	}
	return all
}

func (b *broker) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, l := range b.logs {
		n += len(l.records)
	}
	return n
}

func (b *broker) producers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

func (b *broker) Open(ctx context.Context) (bus.Topic, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wrong != nil {
		return bus.Topic{}, b.wrong
	}
	return b.topic, ctx.Err()
}

// same must be called with the lock held.
func (b *broker) same(ctx context.Context, topic bus.Topic) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if topic != b.topic {
		return fmt.Errorf("topic %s: %w", topic.Name, bus.ErrTopicChanged)
	}
	return nil
}

func (b *broker) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.same(ctx, topic); err != nil {
		return nil, err
	}
	var bounds []bus.Bounds
	for _, l := range b.logs {
		bounds = append(bounds, bus.Bounds{First: l.first, End: l.end()})
	}
	return bounds, nil
}

func (b *broker) Read(
	ctx context.Context, topic bus.Topic, partition int32, from, end int64,
) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		for offset := from; offset < end; offset++ {
			record, err := b.at(ctx, topic, partition, offset)
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

func (b *broker) at(ctx context.Context, topic bus.Topic, partition int32, offset int64) (bus.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.same(ctx, topic); err != nil {
		return bus.Record{}, err
	}
	l := &b.logs[partition]
	if offset < l.first || offset >= l.end() {
		return bus.Record{}, fmt.Errorf("offset %d is not within %d and %d", offset, l.first, l.end())
	}
	return l.records[offset-l.first].Record, nil
}

func (b *broker) Producer(ctx context.Context, topic bus.Topic) (bus.Producer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.same(ctx, topic); err != nil {
		return nil, err
	}
	b.open++
	return &producer{broker: b, topic: topic, last: make(map[int32]stored)}, nil
}

// producer keeps the contract of bus.Producer, and not a bit more.
type producer struct {
	*broker
	topic  bus.Topic
	last   map[int32]stored
	failed error
	closed bool
}

func (p *producer) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.open--
	}
}

func (p *producer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	var o outcome
	if p.onPublish != nil {
		o = p.onPublish(records) // whatever happens there, the call is under way
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.noticeLoss(); err != nil {
		p.failed = err
		return nil, err
	}
	offsets := make([]int64, len(records))
	arrived := make(map[int32]int)
	for i, r := range records {
		arrived[r.Partition]++
		if o.arrive != nil && arrived[r.Partition] > o.arrive(r.Partition) {
			continue
		}
		p.last[r.Partition] = p.add(r.Partition, r.Message)
		offsets[i] = p.last[r.Partition].Offset
	}
	if o.err != nil {
		p.failed = o.err
		return nil, o.err
	}
	return offsets, nil
}

func (p *producer) ready(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errors.New("producer is closed")
	case p.failed != nil:
		return fmt.Errorf("producer failed before: %w", p.failed)
	}
	p.failed = p.same(ctx, p.topic)
	return p.failed
}

// noticeLoss finds that the producer's last records are gone, as the sequence
// numbers of an idempotent producer do.
func (p *producer) noticeLoss() error {
	if p.forgetful || p.topic.ID != p.broker.topic.ID {
		return nil
	}
	for partition, last := range p.last {
		l := &p.logs[partition]
		i := last.Offset - l.first
		if i >= 0 && (i >= int64(len(l.records)) || l.records[i].serial != last.serial) {
			return errDataLoss
		}
	}
	return nil
}
