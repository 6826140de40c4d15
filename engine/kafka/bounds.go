package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

// Stand-ins for a time in a ListOffsets request.
const (
	firstOffset = -2
	endOffset   = -1
)

// Bounds returns the bounds of each partition; see bus.Feed.
func (b *Bus) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	partitions := make([]int32, topic.Partitions)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	found, err := b.bounds(ctx, b.admin, topic, partitions)
	if err != nil {
		return nil, err
	}
	bounds := make([]bus.Bounds, topic.Partitions)
	for i := range bounds {
		bounds[i] = found[i].Bounds
	}
	return bounds, nil
}

type partitionBounds struct {
	bus.Bounds
	epoch int32 // of the leader that wrote last, -1 unknown
}

// bounds returns those of the given partitions, in their order. It tries again
// for a while when leaders move, or have not heard yet that they lead.
func (b *Bus) bounds(ctx context.Context, client *kgo.Client, topic bus.Topic, partitions []int32) ([]partitionBounds, error) {
	for tries, started := 1, time.Now(); ; tries++ {
		found, err := boundsOnce(ctx, client, topic, partitions)
		// Offsets are listed by name, so whose they are is only known now.
		if _, changed := b.check(ctx, client, topic); changed != nil {
			return nil, changed
		}
		if err == nil {
			return found, nil
		}
		if !kerr.IsRetriable(err) || time.Since(started) > readPatience {
			return nil, fmt.Errorf("bounds of topic %s: %w", topic.Name, err)
		}
		if !wait(ctx, pauseAfter(tries, 10*time.Millisecond, time.Second)) {
			return nil, ctx.Err()
		}
	}
}

func boundsOnce(ctx context.Context, client *kgo.Client, topic bus.Topic, partitions []int32) ([]partitionBounds, error) {
	// Both only ever grow, so the first comes first: it is not above the end.
	firsts, err := listOffsets(ctx, client, topic.Name, partitions, firstOffset)
	if err != nil {
		return nil, err
	}
	ends, err := listOffsets(ctx, client, topic.Name, partitions, endOffset)
	if err != nil {
		return nil, err
	}
	found := make([]partitionBounds, len(partitions))
	for i, p := range partitions {
		found[i] = partitionBounds{
			Bounds: bus.Bounds{First: firsts[p].Offset, End: ends[p].Offset},
			epoch:  ends[p].LeaderEpoch,
		}
	}
	return found, nil
}

func listOffsets(ctx context.Context, client *kgo.Client, topic string, partitions []int32, which int64) (map[int32]kmsg.ListOffsetsResponseTopicPartition, error) {
	request := kmsg.NewPtrListOffsetsRequest()
	of := kmsg.NewListOffsetsRequestTopic()
	of.Topic = topic
	for _, p := range partitions {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition, one.Timestamp = p, which
		of.Partitions = append(of.Partitions, one)
	}
	request.Topics = append(request.Topics, of)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	found := make(map[int32]kmsg.ListOffsetsResponseTopicPartition, len(partitions))
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("partition %d: %w", p.Partition, err)
			}
			found[p.Partition] = p
		}
	}
	if len(found) != len(partitions) {
		return nil, fmt.Errorf("brokers told of %d partitions out of %d", len(found), len(partitions))
	}
	return found, nil
}
