package kafka

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupProtocol is how the members of a consumer group get their partitions. It
// has Kafka's own names. What a Subscriber guarantees is the same with both, and
// members of both kinds may be in a group at the same time: so it can be
// changed one member after the other.
type GroupProtocol string

const (
	// Classic has one of the members divide the partitions. All brokers know it.
	Classic GroupProtocol = "classic"
	// Consumer has the brokers divide them, from Kafka 4.0 on; with older ones
	// it is the same as Classic. The group then goes by the brokers' settings:
	// SessionTimeout and HeartbeatInterval do not count, and it takes 45 s
	// rather than 6 until a member that was killed is missed, unless brokers are told
	// otherwise (group.consumer.session.timeout.ms and its minimum). Therefore
	// it is not the default. The client recommends it from Kafka 4.3 on: before
	// that, offsets that show the lag may now and then not be taken, which is of
	// no consequence here.
	Consumer GroupProtocol = "consumer"
)

// spoken notes by which protocol the client joined: the brokers may not have
// the one that is wanted.
type spoken struct{ consumer atomic.Bool }

var _ kgo.HookBrokerWrite = (*spoken)(nil)

// OnBrokerWrite is called for each request.
func (s *spoken) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err != nil {
		return
	}
	switch kmsg.Key(key) {
	case kmsg.JoinGroup:
		s.consumer.Store(false)
	case kmsg.ConsumerGroupHeartbeat:
		s.consumer.Store(true)
	default:
	}
}

// ask puts the question whether the group counts us in.
func (s *session) ask(ctx context.Context) bool {
	if s.spoken.consumer.Load() {
		return s.askForOffset(ctx)
	}
	return s.askByHeartbeat(ctx)
}

func (s *session) askByHeartbeat(ctx context.Context) bool {
	request := kmsg.NewPtrHeartbeatRequest()
	request.Group = s.group
	request.MemberID, request.Generation = s.client.GroupMetadata()
	request.InstanceID = s.instanceID()
	response, err := request.RequestWith(ctx, s.client)
	if err != nil {
		return false
	}
	err = kerr.ErrorForCode(response.ErrorCode)
	// While the group is rebalancing, partitions stay with who has them.
	return err == nil || errors.Is(err, kerr.RebalanceInProgress)
}

// askForOffset asks for one of the group's offsets as the member that we are: of
// one that it has dropped it takes no question. A heartbeat of our own would not
// do in the Consumer protocol: its answer may be the one that brings a new assignment,
// which the client then never sees.
func (s *session) askForOffset(ctx context.Context) bool {
	id, err := parseTopicID(s.topic.ID)
	if err != nil {
		return false
	}
	member, epoch := s.client.GroupMetadata()
	of := kmsg.NewOffsetFetchRequestGroupTopic()
	of.Topic, of.TopicID, of.Partitions = s.topic.Name, id, []int32{0}
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group, group.MemberID, group.MemberEpoch = s.group, &member, epoch
	group.Topics = append(group.Topics, of)
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Groups = append(request.Groups, group)
	response, err := request.RequestWith(ctx, s.client)
	if err != nil || len(response.Groups) != 1 {
		return false
	}
	err = kerr.ErrorForCode(response.Groups[0].ErrorCode)
	// A new epoch is on its way to us; until we have acknowledged what it takes
	// from us, nobody else gets it.
	return err == nil || errors.Is(err, kerr.StaleMemberEpoch)
}

// stepAside tells the group that a static member goes, so that the next one
// under its id may come at once: in the Consumer protocol the client forgets to
// name the id, which brokers take for an invalid request.
func (s *session) stepAside(ctx context.Context, member string) error {
	request := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	request.Group, request.MemberID, request.InstanceID = s.group, member, s.instanceID()
	request.MemberEpoch = -2 // that of one who will be back
	response, err := request.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.ErrorCode)
}
