package relay_test

import (
	"context"
	"errors"
	"iter"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/relay"
)

var errDead = errors.New("the program is dead")

// mortal stands between a relay and everything that it acts on. It is asked
// before and after each operation; an error from before keeps the operation
// from happening, one from after only from being known.
type mortal struct {
	*world
	before, after func(op string) error
}

func (m *mortal) relay(config relay.Config) *relay.Relay {
	return relay.New(m.store, mortalFeed{m}, mortalCheckpoints{m}, config)
}

func act[T any](m *mortal, op string, do func() (T, error)) (T, error) {
	var none T
	if m.before != nil {
		if err := m.before(op); err != nil {
			return none, err
		}
	}
	result, err := do()
	if m.after != nil && err == nil {
		if err := m.after(op); err != nil {
			return none, err
		}
	}
	return result, err
}

func do(m *mortal, op string, what func() error) error {
	_, err := act(m, op, func() (struct{}, error) { return struct{}{}, what() })
	return err
}

type mortalFeed struct{ *mortal }

func (f mortalFeed) Open(ctx context.Context) (bus.Topic, error) {
	return act(f.mortal, "open", func() (bus.Topic, error) { return f.broker.Open(ctx) })
}

func (f mortalFeed) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	return act(f.mortal, "bounds", func() ([]bus.Bounds, error) { return f.broker.Bounds(ctx, topic) })
}

func (f mortalFeed) Read(ctx context.Context, topic bus.Topic, p int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		for record, err := range f.broker.Read(ctx, topic, p, from, end) {
			if err == nil {
				err = do(f.mortal, "read", func() error { return nil })
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

func (f mortalFeed) Producer(ctx context.Context, topic bus.Topic) (bus.Producer, error) {
	p, err := act(f.mortal, "producer", func() (bus.Producer, error) { return f.broker.Producer(ctx, topic) })
	if err != nil {
		return nil, err
	}
	return mortalProducer{f.mortal, p}, nil
}

type mortalProducer struct {
	*mortal
	bus.Producer
}

func (p mortalProducer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	return act(p.mortal, "publish", func() ([]int64, error) { return p.Producer.Publish(ctx, records) })
}

type mortalCheckpoints struct{ *mortal }

func (c mortalCheckpoints) Acquire(
	ctx context.Context, name, holder string, d time.Duration,
) (checkpoint.Lease, error) {
	return act(c.mortal, "acquire", func() (checkpoint.Lease, error) {
		return c.checkpoints.Acquire(ctx, name, holder, d)
	})
}

func (c mortalCheckpoints) Renew(ctx context.Context, l checkpoint.Lease, d time.Duration) error {
	return do(c.mortal, "renew", func() error { return c.checkpoints.Renew(ctx, l, d) })
}

func (c mortalCheckpoints) Release(ctx context.Context, l checkpoint.Lease) error {
	return do(c.mortal, "release", func() error { return c.checkpoints.Release(ctx, l) })
}

func (c mortalCheckpoints) Load(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
	return act(c.mortal, "load", func() ([]checkpoint.Progress, error) { return c.checkpoints.Load(ctx, reader) })
}

func (c mortalCheckpoints) Save(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
	return do(c.mortal, "save", func() error { return c.checkpoints.Save(ctx, l, p) })
}
