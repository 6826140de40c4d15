package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

// settleMax is how long Close waits for the answers to what is on its way.
const settleMax = 2 * time.Second

var errProducerClosed = errors.New("producer is closed")

// producer publishes unbroken runs. A client that is left to itself keeps
// several batches of a partition in flight, and when the first is refused the
// later ones may be taken. So there is never more than one:
//
//   - the client sends nothing by itself (ManualFlushing);
//   - a chunk of records is queued of which each partition's share fits into
//     one batch, and nothing is flushed before all of it is queued: the first
//     chunk waits for the topic's metadata, and a batch that is sent while
//     its records are still coming would have a successor;
//   - then it is flushed, every answer is awaited and looked at, and only
//     when there is not one error is the next chunk queued.
//
// A batch is taken or refused as a whole. One whose answer was lost is sent
// again under the same sequence number, by which the broker knows it.
//
// A broker that lost the tail of a partition knows by the sequence numbers that
// what comes now does not follow. One that lost those as well takes it: then
// the offset tells, afterwards.
type producer struct {
	bus    *Bus
	topic  bus.Topic
	client *kgo.Client
	queue  *queueHook
	next   map[int32]int64 // by partition, behind what was acknowledged last
	dead   error           // what ended it
	closed sync.Once
}

// Producer returns a producer for the topic; see bus.Feed. It calls no broker.
func (b *Bus) Producer(_ context.Context, topic bus.Topic) (bus.Producer, error) {
	queue := &queueHook{}
	client, err := b.client(
		kgo.WithHooks(queue),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ManualFlushing(),
		kgo.MaxBufferedRecords(chunkRecordsMax),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.StopProducerOnDataLossDetected(),
		// A record is never given up: neither its age nor the tries limit it,
		// and not a leader that has yet to hear of the topic. Whether there
		// still is one is watched beside.
		kgo.RecordDeliveryTimeout(0),
		kgo.UnknownTopicRetries(-1),
	)
	if err != nil {
		return nil, err
	}
	return &producer{bus: b, topic: topic, client: client, queue: queue, next: make(map[int32]int64)}, nil
}

// Publish tries again for as long as brokers cannot be reached, lack a leader
// or lack replicas, until ctx ends. What a broker refuses for good is an error
// at once. See bus.Producer.
func (p *producer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	if p.dead != nil {
		return nil, fmt.Errorf("publish to topic %s: the producer has ended: %w", p.topic.Name, p.dead)
	}
	offsets, err := p.publish(ctx, records)
	if err != nil {
		p.dead = err
		return nil, fmt.Errorf("publish to topic %s: %w", p.topic.Name, err)
	}
	return offsets, nil
}

func (p *producer) publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	for _, r := range records {
		if r.Partition < 0 || r.Partition >= p.topic.Partitions {
			return nil, fmt.Errorf("partition %d of %d", r.Partition, p.topic.Partitions)
		}
	}
	if err := p.check(ctx); err != nil {
		return nil, err
	}
	offsets := make([]int64, 0, len(records))
	for rest := records; len(rest) > 0; {
		n := fits(rest)
		chunk := make([]kgo.Record, n)
		for i := range chunk {
			fill(&chunk[i], p.topic.Name, rest[i])
		}
		if err := p.send(ctx, chunk); err != nil {
			return nil, p.explain(ctx, err)
		}
		for i := range chunk {
			if err := p.follow(&chunk[i]); err != nil {
				return nil, err
			}
			offsets = append(offsets, chunk[i].Offset)
		}
		rest = rest[n:]
	}
	return offsets, nil
}

// explain tells whether a failure comes from a topic that has changed: the
// client gives up its records at once when it notices.
func (p *producer) explain(ctx context.Context, err error) error {
	if errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition) {
		if _, changed := p.bus.check(ctx, p.client, p.topic); errors.Is(changed, bus.ErrTopicChanged) {
			return fmt.Errorf("%w: %w", changed, err)
		}
	}
	return err
}

// follow notes where a record was stored, which cannot be before the end of
// what is stored already.
func (p *producer) follow(record *kgo.Record) error {
	if next := p.next[record.Partition]; record.Offset < next {
		return fmt.Errorf("partition %d has lost acknowledged records: it had %d and stores the next one at %d",
			record.Partition, next, record.Offset)
	}
	p.next[record.Partition] = record.Offset + 1
	return nil
}

// check notices a topic that was made again. It costs one small request for
// each Publish: before Kafka 4.1 records are produced by the topic's name, and
// then nothing else would tell.
func (p *producer) check(ctx context.Context) error {
	for failures := 1; ; failures++ {
		_, err := p.bus.check(ctx, p.client, p.topic)
		if !passes(err) {
			return err
		}
		if !wait(ctx, pauseAfter(failures, 50*time.Millisecond, time.Second)) {
			return fmt.Errorf("%w, last: %w", ctx.Err(), err)
		}
	}
}

// passes tells whether an error is of the kind that goes by itself: brokers
// that cannot be reached or are busy with themselves.
func passes(err error) bool {
	var answer *kerr.Error
	switch {
	case err == nil, errors.Is(err, bus.ErrTopicChanged), errors.Is(err, errClosed):
		return false
	case errors.As(err, &answer):
		return answer.Retriable
	default:
		return true
	}
}

// send publishes a chunk and returns when all of it is acknowledged, or with
// the first error.
func (p *producer) send(ctx context.Context, chunk []kgo.Record) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { p.watch(ctx, cancel) })
	defer watching.Wait()
	defer cancel(nil)
	f := &flight{left: len(chunk), stop: cancel, landed: make(chan struct{})}
	queued := p.queue.expect(len(chunk))
	for i := range chunk {
		p.client.Produce(ctx, &chunk[i], f.land)
	}
	select {
	case <-queued:
		_ = p.client.Flush(ctx) // tells only that ctx has ended
	case <-ctx.Done():
	}
	select {
	case <-f.landed:
	case <-ctx.Done():
	}
	return f.outcome(ctx)
}

// watch stops a chunk that takes long because its topic is gone.
func (p *producer) watch(ctx context.Context, stop context.CancelCauseFunc) {
	for wait(ctx, time.Second) {
		if _, err := p.bus.check(ctx, p.client, p.topic); errors.Is(err, bus.ErrTopicChanged) {
			stop(err)
		}
	}
}

// flight is a chunk on its way.
type flight struct {
	stop   context.CancelCauseFunc
	landed chan struct{}

	mu   sync.Mutex
	left int
	err  error
}

// land is called with the outcome of each record.
func (f *flight) land(record *kgo.Record, err error) {
	if err == nil && record.Offset < 0 {
		err = errors.New("the broker acknowledged a record and did not tell its offset")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("partition %d: %w", record.Partition, err)
		f.stop(f.err)
	}
	if f.left--; f.left == 0 {
		close(f.landed)
	}
}

// outcome is nil, or the first thing that went wrong: whatever it is ends ctx.
func (f *flight) outcome(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 && f.err == nil {
		return nil
	}
	return context.Cause(ctx)
}

// Close waits, for two seconds at most, until what is on its way is answered,
// so that whoever goes on finds it in the topic. Only where a broker does not
// answer in that time may records still arrive afterwards.
func (p *producer) Close() {
	p.closed.Do(func() {
		if p.dead == nil {
			p.dead = errProducerClosed
		}
		ctx, cancel := context.WithTimeout(context.Background(), settleMax)
		defer cancel()
		_ = p.client.AbortBufferedRecords(ctx)
		p.client.Close()
	})
}

// queueHook tells when all records of a chunk lie in the queues of their
// partitions.
type queueHook struct {
	mu       sync.Mutex
	expected int
	queued   chan struct{}
}

var _ kgo.HookProduceRecordPartitioned = (*queueHook)(nil)

func (q *queueHook) expect(n int) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expected, q.queued = n, make(chan struct{})
	return q.queued
}

// OnProduceRecordPartitioned is called for each record that was queued.
func (q *queueHook) OnProduceRecordPartitioned(*kgo.Record, int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.expected--; q.expected == 0 {
		close(q.queued)
	}
}
