package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/bench/load"
	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

// relayBench is what the bench of the relay stands on.
type relayBench struct {
	*bench

	brokers     []string
	events      []event.Envelope
	store       *eventstore.Store
	checkpoints checkpoint.Store
	passes      int
}

// runRelay is the bench of the relay: a store that is full, published to a topic
// that is empty, from the first event to the last, again and again.
func runRelay(ctx context.Context, b *bench) (Result, error) {
	b.plan(2 * b.config.Duration)
	r := &relayBench{bench: b, events: history(historyOf(b.config.Duration))}
	setting := b.newEventStore()
	engine, checkpoints, err := openEventStore(ctx, setting)
	if err != nil {
		return Result{}, err
	}
	b.defers(func(context.Context) error { return engine.Close() })
	if err := fill(ctx, engine, r.events); err != nil {
		return Result{}, err
	}
	if r.store, err = eventstore.New(ctx, engine, eventstore.Config{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return Result{}, err
	}
	r.checkpoints = checkpoints
	if r.brokers, err = b.broker(ctx); err != nil {
		return Result{}, err
	}
	y, f, err := b.compare(ctx, passes(r.produce), passes(r.relay))
	if err != nil {
		return Result{}, err
	}
	result := rate("relay", "events/s", f).against(y.PerSecond(), "bare franz-go producer: idempotent, acks all, the same records")
	result.Conditions = fmt.Sprintf("%d events, %d partitions", len(r.events), b.config.Broker.Partitions)
	return result, nil
}

// fill puts events into an empty store.
func fill(ctx context.Context, engine storeEngine, events []event.Envelope) error {
	if _, err := engine.BeginImport(ctx, Prefix); err != nil {
		return fmt.Errorf("fill the event store: %w", err)
	}
	const page = 500
	for rest := events; len(rest) > 0; rest = rest[min(page, len(rest)):] {
		if err := engine.ImportEvents(ctx, rest[:min(page, len(rest))], nil); err != nil {
			return fmt.Errorf("fill the event store: %w", err)
		}
	}
	if _, err := engine.EndImport(ctx); err != nil {
		return fmt.Errorf("fill the event store: %w", err)
	}
	return nil
}

// passes makes a measurement of what is done from beginning to end, as often as
// there is time for, and once at least.
func passes(once func(context.Context) (load.Outcome, error)) measurement {
	return func(ctx context.Context, d time.Duration) (sum load.Outcome, err error) {
		for began := time.Now(); sum.Done == 0 || time.Since(began) < d; {
			one, err := once(ctx)
			if err != nil {
				return sum, err
			}
			sum = sum.Then(one)
		}
		return sum, nil
	}
}

// topic makes an empty topic for one pass. How long brokers take until they lead
// its partitions belongs to neither of those that are compared.
func (r *relayBench) topic(ctx context.Context) (*kafka.Bus, bus.Topic, error) {
	client, err := r.bus(r.brokers, r.newTopic())
	if err != nil {
		return nil, bus.Topic{}, err
	}
	topic, err := client.Open(ctx)
	if err == nil {
		_, err = client.Bounds(ctx, topic) // once they do
	}
	return client, topic, err
}

// relay is one pass of ours.
func (r *relayBench) relay(ctx context.Context) (load.Outcome, error) {
	feed, _, err := r.topic(ctx)
	if err != nil {
		return load.Outcome{}, err
	}
	r.passes++
	one := relay.New(r.store, feed, r.checkpoints, relay.Config{
		Name: fmt.Sprintf("%s%d", Prefix, r.passes), Logger: slog.New(slog.DiscardHandler),
	})
	began := time.Now()
	if err := one.RunToEnd(ctx); err != nil {
		return load.Outcome{}, err
	}
	outcome := load.Outcome{Done: one.Status().Published, Elapsed: time.Since(began)}
	if outcome.Done != int64(len(r.events)) {
		return outcome, fmt.Errorf("the relay has published %d events of %d", outcome.Done, len(r.events))
	}
	return outcome, nil
}

// produce is one pass of a producer that is given the records as they are to be.
func (r *relayBench) produce(ctx context.Context) (load.Outcome, error) {
	_, topic, err := r.topic(ctx)
	if err != nil {
		return load.Outcome{}, err
	}
	client, err := kgo.NewClient(append(clientOptions(r.config.Broker, r.brokers),
		kgo.DefaultProduceTopic(topic.Name), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.SnappyCompression()))...)
	if err != nil {
		return load.Outcome{}, fmt.Errorf("bare producer: %w", err)
	}
	defer client.Close()
	records := make([]*kgo.Record, len(r.events))
	for i, e := range r.events {
		records[i] = record(r.store.History(), e, topic.Partitions)
	}
	var failed atomic.Pointer[error]
	began := time.Now()
	for _, record := range records {
		client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	err = client.Flush(ctx)
	if first := failed.Load(); first != nil {
		err = errors.Join(err, *first)
	}
	if err != nil {
		return load.Outcome{}, fmt.Errorf("bare producer: %w", err)
	}
	return load.Outcome{Done: int64(len(records)), Elapsed: time.Since(began)}, nil
}

// record is an event as the relay publishes it.
func record(history string, e event.Envelope, partitions int32) *kgo.Record {
	m := bus.Encode(history, e)
	r := &kgo.Record{Key: []byte(m.Key), Value: m.Value, Timestamp: m.Time, Partition: bus.Partition(m.Key, partitions)}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: []byte(h.Value)})
	}
	return r
}
