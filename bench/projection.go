package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"passbook/bank/readmodel"
	"passbook/bench/load"
	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
)

// runProjection is the bench of the projection: a topic that is full, applied to
// a read database that is empty, from the first event to the last, again and
// again.
func runProjection(ctx context.Context, b *bench) (Result, error) {
	b.plan(2 * b.config.Duration)
	p := &projectionBench{bench: b, events: history(historyOf(b.config.Duration))}
	var err error
	if p.brokers, err = b.broker(ctx); err != nil {
		return Result{}, err
	}
	if p.feed, err = b.bus(p.brokers, b.newTopic()); err != nil {
		return Result{}, err
	}
	if err := p.publish(ctx); err != nil {
		return Result{}, err
	}
	// Once without the clock: its rows, and how many go together, are what the
	// yardstick writes.
	setting, err := b.newReadDB(ctx)
	if err != nil {
		return Result{}, err
	}
	counted, err := p.apply(ctx, setting)
	if err != nil {
		return Result{}, err
	}
	bare, err := b.bareRows(ctx, setting, p.events, max(1, len(p.events)/counted.transactions))
	if err != nil {
		return Result{}, err
	}
	y, f, err := b.compare(ctx, passes(bare.write), passes(func(ctx context.Context) (load.Outcome, error) {
		setting, err := b.newReadDB(ctx)
		if err != nil {
			return load.Outcome{}, err
		}
		counted, err := p.apply(ctx, setting)
		return counted.outcome(), err
	}))
	if err != nil {
		return Result{}, err
	}
	result := rate("projection", "events/s", f).against(y.PerSecond(), bare.is())
	result.Conditions = fmt.Sprintf("%d events of %d accounts, %d partitions", len(p.events), len(p.events)/eventsPerAccount, b.config.Broker.Partitions)
	return result, nil
}

type projectionBench struct {
	*bench

	brokers []string
	feed    *kafka.Bus
	events  []event.Envelope
}

// publish fills the topic.
func (p *projectionBench) publish(ctx context.Context) error {
	topic, err := p.feed.Open(ctx)
	if err != nil {
		return err
	}
	producer, err := p.feed.Producer(ctx, topic)
	if err != nil {
		return err
	}
	defer producer.Close()
	const page = 2000
	for rest := p.events; len(rest) > 0; rest = rest[min(page, len(rest)):] {
		records := make([]bus.Placed, 0, page)
		for _, e := range rest[:min(page, len(rest))] {
			m := bus.Encode(p.name, e)
			records = append(records, bus.Placed{Message: m, Partition: bus.Partition(m.Key, topic.Partitions)})
		}
		if _, err := producer.Publish(ctx, records); err != nil {
			return err
		}
	}
	return nil
}

// apply is one pass: the projection as the query service runs it, from when its
// first transaction begins until everything is applied.
func (p *projectionBench) apply(ctx context.Context, setting string) (*countedStore, error) {
	side, dialect, err := openReadDB(ctx, setting)
	if err != nil {
		return nil, err
	}
	model, err := readmodel.NewModel(dialect, readmodel.LiveTables())
	if err != nil {
		return nil, errors.Join(err, side.Close())
	}
	group := p.called("group")
	p.defers(func(ctx context.Context) error { return p.removeGroup(ctx, p.brokers, group) })
	counted := &countedStore{Store: side, events: int64(len(p.events))}
	projected, err := projection.New(group, counted, model, projection.Config{Subscriber: p.feed})
	if err != nil {
		return nil, errors.Join(err, side.Close())
	}
	err = untilApplied(ctx, projected, counted.events)
	return counted, errors.Join(err, side.Close())
}

// untilApplied runs a projection until it has applied so many events.
func untilApplied(ctx context.Context, p *projection.Projection[*sql.Tx], events int64) error {
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			stop()
			return errors.Join(err, context.Cause(ctx))
		case <-look.C:
		}
		counts := p.Status().Counts
		if counts.Applied < events && counts.Parked == 0 {
			continue
		}
		stop()
		err := <-ended
		if counts.Parked > 0 {
			err = errors.Join(err, errors.New("the projection has parked an account"))
		}
		return err
	}
}

// countedStore counts transactions that write, and times them from the first one's
// beginning to the last one's end.
type countedStore struct {
	projection.Store[*sql.Tx]

	events       int64
	mu           sync.Mutex
	first, last  time.Time
	transactions int
}

// Update implements projection.Store.
func (s *countedStore) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	s.mu.Lock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	s.mu.Unlock()
	err := s.Store.Update(ctx, fn)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	s.transactions++
	return err
}

func (s *countedStore) outcome() load.Outcome {
	if s == nil {
		return load.Outcome{}
	}
	return load.Outcome{Done: s.events, Elapsed: s.last.Sub(s.first)}
}
