package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

// versionWithTopicID is that of the first Produce request in which topics are
// named by id, of Kafka 4.1.
const versionWithTopicID = 13

// publishChunk returns when all of the chunk is acknowledged, with the offset
// of each record, or with the first error.
func (p *producer) publishChunk(ctx context.Context, chunk []bus.Placed) ([]int64, error) {
	all := batches(chunk)
	for _, b := range all {
		b.encode(chunk, *p.identity, p.sequences[b.partition], &p.packer)
		p.sequences[b.partition] = following(p.sequences[b.partition], len(b.places))
	}
	left := all
	err := p.persist(ctx, func(ctx context.Context) (err error) {
		left, err = p.round(ctx, left)
		return err
	})
	if err != nil {
		return nil, err
	}
	offsets := make([]int64, len(chunk))
	for _, b := range all {
		if err := p.follow(b); err != nil {
			return nil, err
		}
		for i, place := range b.places {
			offsets[place] = b.offset + int64(i)
		}
	}
	return offsets, nil
}

// round sends the batches to the leaders of their partitions, one request each,
// and waits for all answers. It returns the batches that were not acknowledged
// and why: for good if only one of them was refused for good.
func (p *producer) round(ctx context.Context, all []*batch) (left []*batch, err error) {
	if ctx.Err() != nil {
		return all, ctx.Err()
	}
	if p.leaders == nil {
		if err := p.look(ctx); err != nil {
			return all, err
		}
	}
	byLeader := make(map[int32][]*batch)
	for _, b := range all {
		leader := p.leaders[b.partition]
		byLeader[leader] = append(byLeader[leader], b)
	}
	answers := make(chan answer)
	for leader, share := range byLeader {
		go func() { answers <- p.request(leader, share) }()
	}
	byID := true
	for range byLeader {
		a := <-answers
		left = append(left, a.left...)
		byID = byID && a.byID
		if a.err != nil && (err == nil || passes(err)) {
			err = a.err
		}
	}
	p.byID = byID && err == nil
	if err != nil {
		p.leaders = nil // looked up again, and whether the topic is still the same
	}
	return left, err
}

// answer is what came back for the batches of one leader.
type answer struct {
	left []*batch
	byID bool // the broker was told the topic's id
	err  error
}

// request sends batches to one broker. Without an answer they may have been
// stored or not.
func (p *producer) request(leader int32, share []*batch) answer {
	message, err := p.message(share)
	if err != nil {
		return answer{left: share, err: err}
	}
	reply, err := p.client.Broker(int(leader)).Request(p.life, message)
	if err != nil {
		return answer{left: share, err: fmt.Errorf("produce to broker %d: %w", leader, err)}
	}
	response, ok := reply.(*kmsg.ProduceResponse)
	if !ok {
		return answer{left: share, err: fmt.Errorf("produce to broker %d: answer is a %T", leader, reply)}
	}
	told := make(map[int32]kmsg.ProduceResponseTopicPartition)
	for _, t := range response.Topics {
		for _, partition := range t.Partitions {
			told[partition.Partition] = partition
		}
	}
	a := answer{byID: response.Version >= versionWithTopicID}
	for _, b := range share {
		err := errors.New("the broker did not tell of it")
		if partition, ok := told[b.partition]; ok {
			b.offset, err = partition.BaseOffset, outcome(partition)
		}
		if err == nil {
			continue
		}
		a.left = append(a.left, b)
		if a.err == nil || passes(a.err) {
			a.err = fmt.Errorf("partition %d: %w", b.partition, err)
		}
	}
	return a
}

// outcome is nil for a batch that is stored at a known place.
func outcome(p kmsg.ProduceResponseTopicPartition) error {
	err := kerr.ErrorForCode(p.ErrorCode)
	if err == nil && p.BaseOffset < 0 {
		// Not to be tried again: an answer it was.
		return fmt.Errorf("stored at no known offset: %w", kerr.UnknownServerError)
	}
	if err != nil && p.ErrorMessage != nil {
		return fmt.Errorf("%w: %s", err, *p.ErrorMessage)
	}
	return err
}

func (p *producer) message(share []*batch) (*kmsg.ProduceRequest, error) {
	id, err := parseTopicID(p.topic.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bus.ErrTopicChanged, err)
	}
	of := kmsg.NewProduceRequestTopic()
	of.Topic, of.TopicID = p.topic.Name, id
	for _, b := range share {
		partition := kmsg.NewProduceRequestTopicPartition()
		partition.Partition, partition.Records = b.partition, b.bytes
		of.Partitions = append(of.Partitions, partition)
	}
	m := kmsg.NewPtrProduceRequest()
	m.Acks = -1                                            // all in-sync replicas
	m.TimeoutMillis = int32(produceTimeout.Milliseconds()) //nolint:gosec // some seconds
	m.Topics = append(m.Topics, of)
	return m, nil
}

// produceTimeout is how long a leader waits for its replicas.
const produceTimeout = 10 * time.Second
