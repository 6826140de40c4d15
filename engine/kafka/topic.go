package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

const (
	// agreePatience bounds how long brokers may take to agree on the topic,
	// answerPatience how long one of them may take to answer.
	agreePatience  = 10 * time.Second
	answerPatience = 2 * time.Second
)

var (
	errNoTopic = errors.New("there is no such topic")
	errClosed  = errors.New("the bus is closed")
)

// sight is what the brokers say of the topic at one moment.
type sight struct {
	topic    bus.Topic
	id       topicID
	leaders  []int32 // broker by partition, -1 where there is none now
	replicas int     // the fewest that a partition has
	brokers  int
}

type topicID [16]byte

// String gives the form that Kafka's own tools print.
func (id topicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

func parseTopicID(s string) (id topicID, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("%q is no topic id of this bus", s)
	}
	return topicID(b), nil
}

// look asks any broker what it knows of the topic. It never creates it. It
// returns errNoTopic, what the broker answered, or that none could be reached.
func (b *Bus) look(ctx context.Context, client *kgo.Client) (sight, error) {
	response, err := b.lookUp().RequestWith(ctx, client)
	b.link.answered(err)
	if err != nil && isClosed(b.closed) {
		err = errClosed // clients call it many names
	}
	return b.seen(response, err)
}

func (b *Bus) lookUp() *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &b.config.Topic
	request.Topics = append(request.Topics, topic)
	request.AllowAutoTopicCreation = false
	return request
}

func (b *Bus) seen(response *kmsg.MetadataResponse, err error) (sight, error) {
	if err != nil {
		return sight{}, fmt.Errorf("look up topic %s: %w", b.config.Topic, err)
	}
	if len(response.Topics) != 1 {
		return sight{}, fmt.Errorf("look up topic %s: the broker told of %d topics", b.config.Topic, len(response.Topics))
	}
	found := response.Topics[0]
	switch err := kerr.ErrorForCode(found.ErrorCode); {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return sight{}, fmt.Errorf("topic %s: %w", b.config.Topic, errNoTopic)
	case err != nil:
		return sight{}, fmt.Errorf("look up topic %s: %w", b.config.Topic, err)
	case found.TopicID == topicID{}:
		return sight{}, fmt.Errorf("topic %s has no id: the brokers are older than Kafka 2.8, 3.0 is wanted", b.config.Topic)
	}
	return b.sight(response.Brokers, found)
}

func (b *Bus) sight(brokers []kmsg.MetadataResponseBroker, found kmsg.MetadataResponseTopic) (sight, error) {
	n := len(found.Partitions)
	s := sight{
		topic:   bus.Topic{Name: b.config.Topic, ID: topicID(found.TopicID).String(), Partitions: int32(n)}, //nolint:gosec // brokers have far fewer
		id:      found.TopicID,
		leaders: make([]int32, n),
		brokers: len(brokers),
	}
	for i, p := range found.Partitions {
		if int(p.Partition) >= n {
			return sight{}, fmt.Errorf("topic %s: partition %d of %d", b.config.Topic, p.Partition, n)
		}
		s.leaders[p.Partition] = p.Leader
		if i == 0 || len(p.Replicas) < s.replicas {
			s.replicas = len(p.Replicas)
		}
	}
	return s, nil
}

// check looks, and returns ErrTopicChanged unless the topic is there and is
// the expected one. Ids never come back: when the answer is nil, everything
// that was learned of the topic by its name before came from this one.
func (b *Bus) check(ctx context.Context, client *kgo.Client, expected bus.Topic) (sight, error) {
	s, err := b.look(ctx, client)
	if err == nil && s.topic == expected {
		return s, nil
	}
	if err != nil && !errors.Is(err, errNoTopic) {
		return s, err
	}
	s, err = b.agree(ctx, client)
	switch {
	case errors.Is(err, errNoTopic):
		return s, fmt.Errorf("%w: %s with id %s was deleted", bus.ErrTopicChanged, expected.Name, expected.ID)
	case err != nil:
		return s, err
	case s.topic != expected:
		return s, fmt.Errorf("%w: %s had id %s and %d partitions, and has id %s and %d", bus.ErrTopicChanged,
			expected.Name, expected.ID, expected.Partitions, s.topic.ID, s.topic.Partitions)
	}
	return s, nil
}

// agree asks every broker until those that answer tell the same, topic or
// none. News of a topic that was made or deleted reaches brokers one after the
// other: for a moment one tells what another has yet to hear.
func (b *Bus) agree(ctx context.Context, client *kgo.Client) (sight, error) {
	for tries, started := 1, time.Now(); ; tries++ {
		s, same, err := b.lookEverywhere(ctx, client)
		if same {
			return s, err
		}
		if time.Since(started) > agreePatience {
			return sight{}, fmt.Errorf("topic %s: the brokers do not agree on whether there is one", b.config.Topic)
		}
		if !wait(ctx, pauseAfter(tries, 10*time.Millisecond, 500*time.Millisecond)) {
			return sight{}, ctx.Err()
		}
	}
}

// lookEverywhere returns what the brokers that answer tell, if it is the same.
func (b *Bus) lookEverywhere(ctx context.Context, client *kgo.Client) (told sight, same bool, outcome error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	type reply struct {
		sight
		err error
	}
	brokers := client.DiscoveredBrokers() // by the look before
	replies := make(chan reply, len(brokers))
	for _, broker := range brokers {
		go func() {
			answer, err := broker.Request(ctx, b.lookUp())
			response, _ := answer.(*kmsg.MetadataResponse)
			s, err := b.seen(response, err)
			replies <- reply{s, err}
		}()
	}
	answered := 0
	same = true
	for range brokers {
		r := <-replies
		if r.err != nil && !errors.Is(r.err, errNoTopic) {
			outcome = errors.Join(outcome, r.err)
			continue
		}
		if answered++; answered == 1 {
			told = r.sight
		}
		same = same && told.topic == r.topic
	}
	switch {
	case answered == 0:
		return sight{}, true, errors.Join(errors.New("no broker tells of its topics"), outcome)
	case told.topic.ID == "":
		return sight{}, same, fmt.Errorf("topic %s: %w", b.config.Topic, errNoTopic)
	}
	return told, same, nil
}
