package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

var _ bus.Topics = (*Bus)(nil)

// Topic returns another topic of the cluster; see bus.Topics. It lives on the
// connections of b and ends with them.
func (b *Bus) Topic(name string, settings bus.TopicSettings) bus.Feed {
	other := *b
	other.config.Topic = name
	other.config.Partitions = max(settings.Partitions, 1)
	other.compacted = settings.Compacted
	return &other
}

// Find returns the topic of a name; see bus.Topics.
func (b *Bus) Find(ctx context.Context, name string) (bus.Topic, error) {
	other := *b
	other.config.Topic = name
	s, err := other.look(ctx, b.admin)
	if err == nil || errors.Is(err, errNoTopic) {
		// Not one broker's word: a topic that was found to be gone would be back at the next call, from one that
		// has yet to hear of it.
		s, err = other.agree(ctx, b.admin)
	}
	if errors.Is(err, errNoTopic) {
		err = fmt.Errorf("topic %s: %w", name, bus.ErrNoTopic)
	}
	return s.topic, err
}

// List returns the topics of the cluster whose names begin with prefix; see
// bus.Topics.
func (b *Bus) List(ctx context.Context, prefix string) ([]bus.Topic, error) {
	listed, err := kadm.NewClient(b.admin).ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var found []bus.Topic
	for _, t := range listed.Sorted() {
		if strings.HasPrefix(t.Topic, prefix) && t.Err == nil {
			found = append(found, bus.Topic{
				Name: t.Topic, ID: topicID(t.ID).String(),
				Partitions: int32(len(t.Partitions)), //nolint:gosec // brokers have far fewer
			})
		}
	}
	return found, nil
}

// Delete deletes one life of a topic; see bus.Topics. Brokers are told its id,
// so that it cannot hit another of the same name. Kafka 3.9 with ZooKeeper still
// deletes the later topic by the id of the former one: give no name twice there.
func (b *Bus) Delete(ctx context.Context, topic bus.Topic) error {
	err := b.deleteByID(ctx, topic)
	if err == nil || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil
	}
	return fmt.Errorf("delete topic %s: %w", topic.Name, err)
}

func (b *Bus) deleteByID(ctx context.Context, topic bus.Topic) error {
	id, err := parseTopicID(topic.ID)
	if err != nil {
		return err
	}
	request := kmsg.NewPtrDeleteTopicsRequest()
	of := kmsg.NewDeleteTopicsRequestTopic()
	of.TopicID = id
	request.Topics = append(request.Topics, of)
	request.TimeoutMillis = int32(answerPatience.Milliseconds()) //nolint:gosec // some seconds
	response, err := request.RequestWith(ctx, b.admin)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
