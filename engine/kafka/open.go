package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"passbook/es/bus"
)

const replicasMax = 3

// Open creates the topic where there is none, and checks the settings of one
// that exists; see bus.Feed. Without an answer from any broker it returns an
// error after some seconds.
//
// That the topic's first offsets are 0 is not checked.
func (b *Bus) Open(ctx context.Context) (bus.Topic, error) {
	s, err := b.look(ctx, b.admin)
	if errors.Is(err, errNoTopic) {
		s, err = b.create(ctx)
	}
	if err != nil {
		return bus.Topic{}, err
	}
	err = b.checkSettings(ctx, s)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		// Another has just made it, and this broker has not heard of it yet.
		if s, err = b.agree(ctx, b.admin); err == nil {
			err = b.checkSettings(ctx, s)
		}
	}
	if err != nil {
		return bus.Topic{}, err
	}
	return s.topic, nil
}

// create makes the topic, or finds that another was faster, and returns once
// brokers tell of it.
func (b *Bus) create(ctx context.Context) (sight, error) {
	replicas, err := b.replicas(ctx)
	if err != nil {
		return sight{}, err
	}
	err = b.createWith(ctx, replicas, true)
	if errors.Is(err, kerr.InvalidConfig) {
		err = b.createWith(ctx, replicas, false)
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return sight{}, fmt.Errorf("create topic %s: %w", b.config.Topic, err)
	}
	// Other brokers may not have heard of it yet.
	for failures := 1; ; failures++ {
		s, err := b.agree(ctx, b.admin)
		if !errors.Is(err, errNoTopic) || failures > 20 {
			return s, err
		}
		if !wait(ctx, pauseAfter(failures, 10*time.Millisecond, time.Second)) {
			return sight{}, ctx.Err()
		}
	}
}

// createWith returns InvalidConfig from a broker that does not know one of the
// settings.
func (b *Bus) createWith(ctx context.Context, replicas int16, knows36 bool) error {
	response, err := kadm.NewClient(b.admin).CreateTopic(ctx,
		b.config.Partitions, replicas, created(int(replicas), knows36, b.compacted), b.config.Topic)
	if err != nil && response.ErrMessage != "" {
		return fmt.Errorf("%w: %s", err, response.ErrMessage)
	}
	return err
}

func (b *Bus) replicas(ctx context.Context) (int16, error) {
	if b.config.Replicas > 0 {
		return b.config.Replicas, nil
	}
	brokers, err := kadm.NewClient(b.admin).ListBrokers(ctx)
	if err != nil {
		return 0, fmt.Errorf("list brokers: %w", err)
	}
	return int16(min(len(brokers), replicasMax)), nil
}

func (b *Bus) checkSettings(ctx context.Context, s sight) error {
	resources, err := kadm.NewClient(b.admin).DescribeTopicConfigs(ctx, s.topic.Name)
	if err != nil {
		return fmt.Errorf("read settings of topic %s: %w", s.topic.Name, err)
	}
	listed := make(map[string]string)
	for _, r := range resources {
		if r.Err != nil {
			return fmt.Errorf("read settings of topic %s: %w", s.topic.Name, r.Err)
		}
		for _, c := range r.Configs {
			listed[c.Key] = c.MaybeValue()
		}
	}
	return faults(s.topic.Name, s.replicas, b.compacted, listed)
}
