package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"passbook/engine/kafka"
)

// broker returns the addresses of the broker, which is started where it is the
// embedded one.
func (b *bench) broker(ctx context.Context) ([]string, error) {
	if len(b.config.Broker.Brokers) > 0 {
		return b.config.Broker.Brokers, nil
	}
	s, err := b.serve(ctx, "broker", settings{"BROKER": "embedded:127.0.0.1:0", "OPS_ADDR": "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	return []string{s.addresses["broker"]}, nil
}

// newTopic returns a name for a topic. It and those whose names begin with it are
// removed with the bench.
func (b *bench) newTopic() string {
	name := b.called("feed")
	if len(b.config.Broker.Brokers) > 0 { // else they go with the broker's folder
		b.defers(func(ctx context.Context) error { return b.removeTopics(ctx, name) })
	}
	return name
}

func (b *bench) removeTopics(ctx context.Context, prefix string) error {
	client, err := kgo.NewClient(clientOptions(b.config.Broker, b.config.Broker.Brokers)...)
	if err != nil {
		return fmt.Errorf("PASSBOOK_BROKER (--broker): %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	var ours []string
	for _, topic := range topics.Names() {
		if strings.HasPrefix(topic, prefix) {
			ours = append(ours, topic)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	deleted, err := admin.DeleteTopics(ctx, ours...)
	for _, topic := range deleted {
		// The relay deletes the topics of restores itself.
		if err == nil && !errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
			err = topic.Err
		}
	}
	if err != nil {
		return fmt.Errorf("delete topics: %w", err)
	}
	return nil
}

// removeGroup removes a consumer group that has no members any more.
func (b *bench) removeGroup(ctx context.Context, brokers []string, group string) error {
	client, err := kgo.NewClient(clientOptions(b.config.Broker, brokers)...)
	if err != nil {
		return fmt.Errorf("PASSBOOK_BROKER (--broker): %w", err)
	}
	defer client.Close()
	_, err = kadm.NewClient(client).DeleteGroup(ctx, group)
	if err != nil {
		return fmt.Errorf("delete the consumer group: %w", err)
	}
	return nil
}

// clientOptions are those of a client of the brokers that is not ours.
func clientOptions(c kafka.Config, brokers []string) []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(brokers...)}
	switch c.SASL.Mechanism {
	case kafka.Plain:
		options = append(options, kgo.SASL(plain.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsMechanism()))
	case kafka.ScramSHA256:
		options = append(options, kgo.SASL(scram.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsSha256Mechanism()))
	case kafka.ScramSHA512:
		options = append(options, kgo.SASL(scram.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsSha512Mechanism()))
	}
	if c.TLS != nil {
		options = append(options, kgo.DialTLSConfig(c.TLS))
	}
	return append(options, c.Options...)
}

// bus returns our client of a topic. It is closed with the bench.
func (b *bench) bus(brokers []string, topic string) (*kafka.Bus, error) {
	config := b.config.Broker
	config.Brokers, config.Topic = brokers, topic
	bus, err := kafka.New(config)
	if err != nil {
		return nil, fmt.Errorf("PASSBOOK_BROKER (--broker): %w", err)
	}
	b.defers(func(context.Context) error { bus.Close(); return nil })
	return bus, nil
}
