package kafka

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	commitInterval = time.Second
	commitMax      = time.Second // how long one may take
)

// progress is how far the consumers have come since it was last told to the
// group. The group's offsets let tools show the lag; nothing is ever read from
// them, so one that could not be told is of no consequence.
type progress struct {
	mu   sync.Mutex
	next map[int32]int64 // by partition
}

func newProgress() *progress { return &progress{next: make(map[int32]int64)} }

func (p *progress) note(partition int32, next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[partition] = next
}

func (p *progress) take() map[int32]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := maps.Clone(p.next)
	clear(p.next)
	return taken
}

// putBack returns what was taken, unless there is newer.
func (p *progress) putBack(taken map[int32]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for partition, next := range taken {
		if _, newer := p.next[partition]; !newer {
			p.next[partition] = next
		}
	}
}

// commitOften tells the group once a second.
func (s *session) commitOften(ctx context.Context) {
	for wait(ctx, commitInterval) {
		s.commitNow()
	}
}

// commitNow tells the group what has not been told yet.
func (s *session) commitNow() {
	offsets := s.progress.take()
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), commitMax)
	defer cancel()
	if err := s.commit(ctx, offsets); err != nil {
		s.progress.putBack(offsets)
		s.bus.config.Logger.Debug("the group's offsets, which show the lag, are not up to date",
			"group", s.group, "topic", s.topic.Name, "error", err)
	}
}

func (s *session) commit(ctx context.Context, offsets map[int32]int64) error {
	id, err := parseTopicID(s.topic.ID)
	if err != nil {
		return err
	}
	of := kmsg.NewOffsetCommitRequestTopic()
	of.Topic, of.TopicID = s.topic.Name, id
	for partition, offset := range offsets {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = partition, offset
		of.Partitions = append(of.Partitions, p)
	}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group = s.group
	request.MemberID, request.Generation = s.client.GroupMetadata()
	request.InstanceID = s.instanceID()
	request.Topics = append(request.Topics, of)
	response, err := request.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}
