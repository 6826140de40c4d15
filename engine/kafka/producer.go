package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

// settleMax is how long Close waits for the answers to what is on its way.
const settleMax = 2 * time.Second

var errProducerClosed = errors.New("producer is closed")

// producer publishes unbroken runs. The client's own producer keeps several
// batches of a partition on their way, also when it is told to flush by hand:
// a loop of the flush before may send what is only half queued. When the first
// of them is refused the later ones may be taken. So this one makes its Produce
// requests itself, and there is never more than one batch of a partition on
// its way:
//
//   - records are published in chunks, of which each partition's share is one
//     batch;
//   - every answer is awaited and looked at, and only when there is not one
//     error does the next chunk follow.
//
// It is idempotent: a batch is taken or refused as a whole, and one whose
// answer was lost is sent again, byte by byte the same, with the sequence
// number by which the broker knows it.
//
// A broker that lost the tail of a partition knows by the sequence numbers that
// what comes now does not follow. One that lost those as well takes it: then
// the offset tells, afterwards.
type producer struct {
	bus    *Bus
	topic  bus.Topic
	client *kgo.Client
	dead   error // what ended it; used by Publish and Close only

	// Requests outlive the context of Publish, so that their answers can be
	// awaited by Close. They end with life.
	life    context.Context //nolint:containedctx // see above
	end     context.CancelFunc
	running sync.WaitGroup
	closed  sync.Once

	// What follows belongs to the one call of publish.
	identity  *identity
	leaders   []int32         // by partition; nil when they are to be looked up
	looked    time.Time       // when they were
	byID      bool            // brokers refuse another topic by themselves
	sequences map[int32]int32 // by partition, of the next record
	next      map[int32]int64 // by partition, behind what was acknowledged last
	packer    packer
}

// identity is that of an idempotent producer.
type identity struct {
	id    int64
	epoch int16
}

// Producer returns a producer for the topic; see bus.Feed. It calls no broker.
func (b *Bus) Producer(_ context.Context, topic bus.Topic) (bus.Producer, error) {
	client, err := b.client(kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &producer{
		bus: b, topic: topic, client: client, life: life, end: end,
		sequences: make(map[int32]int32), next: make(map[int32]int64), packer: packer{compressor: b.compressor},
	}, nil
}

// Publish tries again for as long as brokers cannot be reached, lack a leader
// or lack replicas, until ctx ends. What a broker refuses for good is an error
// at once. See bus.Producer.
func (p *producer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	if p.dead != nil {
		return nil, fmt.Errorf("publish to topic %s: the producer has ended: %w", p.topic.Name, p.dead)
	}
	type outcome struct {
		offsets []int64
		err     error
	}
	done := make(chan outcome, 1)
	p.running.Go(func() {
		offsets, err := p.publish(ctx, records)
		done <- outcome{offsets, err}
	})
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		o.err = context.Cause(ctx)
	}
	if o.err != nil {
		p.dead = o.err
		return nil, fmt.Errorf("publish to topic %s: %w", p.topic.Name, o.err)
	}
	return o.offsets, nil
}

// publish begins nothing any more once ctx has ended.
func (p *producer) publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	for _, r := range records {
		if r.Partition < 0 || r.Partition >= p.topic.Partitions {
			return nil, fmt.Errorf("partition %d of %d", r.Partition, p.topic.Partitions)
		}
	}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	offsets := make([]int64, 0, len(records))
	for rest := records; len(rest) > 0; {
		n := fits(rest)
		stored, err := p.publishChunk(ctx, rest[:n])
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, stored...)
		rest = rest[n:]
	}
	return offsets, nil
}

// prepare notices a topic that was made again, and gets what the first chunk
// needs. Where brokers are told the topic's id with the records, from Kafka 4.1
// on, they notice by themselves, and only added partitions are looked for, now
// and then. Older ones are told its name; then it costs one small request for
// each Publish.
func (p *producer) prepare(ctx context.Context) error {
	if !p.byID || p.leaders == nil || time.Since(p.looked) > watchInterval {
		if err := p.look(ctx); err != nil {
			return err
		}
	}
	if p.identity != nil {
		return nil
	}
	return p.persist(ctx, p.introduce)
}

func (p *producer) look(ctx context.Context) error {
	return p.persist(ctx, func(ctx context.Context) error {
		s, err := p.bus.check(ctx, p.client, p.topic)
		p.leaders, p.looked = s.leaders, time.Now()
		return err
	})
}

// introduce gets an identity of our own.
func (p *producer) introduce(ctx context.Context) error {
	request := kmsg.NewPtrInitProducerIDRequest()
	request.TransactionTimeoutMillis = math.MaxInt32 // there are no transactions
	response, err := request.RequestWith(ctx, p.client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("get a producer id: %w", err)
	}
	p.identity = &identity{id: response.ProducerID, epoch: response.ProducerEpoch}
	return nil
}

// persist tries until it works, fails for good, or ctx ends.
func (p *producer) persist(ctx context.Context, try func(context.Context) error) error {
	for failures := 1; ; failures++ {
		err := try(ctx)
		if !passes(err) {
			return err
		}
		if !wait(ctx, pauseAfter(failures, 50*time.Millisecond, time.Second)) {
			return fmt.Errorf("%w, last: %w", context.Cause(ctx), err)
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
		// A batch that arrives corrupt leaves corrupt.
		return answer.Retriable && !errors.Is(err, kerr.CorruptMessage)
	default:
		return true
	}
}

// follow notes where a batch was stored, which cannot be before the end of what
// is stored already.
func (p *producer) follow(b *batch) error {
	if next := p.next[b.partition]; b.offset < next {
		return fmt.Errorf("partition %d has lost acknowledged records: it had %d and stores the next one at %d",
			b.partition, next, b.offset)
	}
	p.next[b.partition] = b.offset + int64(len(b.places))
	return nil
}

// Close waits, for two seconds at most, until what is on its way is answered,
// so that whoever goes on finds it in the topic. Only where a broker does not
// answer in that time may records still arrive afterwards.
func (p *producer) Close() {
	p.closed.Do(func() {
		if p.dead == nil {
			p.dead = errProducerClosed
		}
		timer := time.AfterFunc(settleMax, p.end)
		p.running.Wait()
		timer.Stop()
		p.end()
		p.client.Close()
	})
}
