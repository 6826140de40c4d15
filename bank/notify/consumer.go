package notify

import (
	"context"
	"time"

	"passbook/es/bus"
)

// subscriber puts a consumer of ours before the one that it is given.
type subscriber struct {
	bus.Subscriber
	starter *starter
	wake    func()
}

// Run implements bus.Subscriber.
func (s *subscriber) Run(ctx context.Context, group string, next bus.Consumer) error {
	return s.Subscriber.Run(ctx, group, &consumer{Consumer: next, starter: s.starter, wake: s.wake})
}

// consumer looks where the feed ends before anything of it is read, and wakes the
// senders after something was.
type consumer struct {
	bus.Consumer
	starter *starter
	wake    func()
}

// Pace implements bus.Paced.
func (c *consumer) Pace() time.Duration { return bus.PaceOf(c.Consumer) }

// Assign implements bus.Consumer.
func (c *consumer) Assign(ctx context.Context, a bus.Assignment) (int64, error) {
	if err := c.starter.ensure(ctx, a.Topic); err != nil {
		return 0, err
	}
	return c.Consumer.Assign(ctx, a)
}

// Consume implements bus.Consumer.
func (c *consumer) Consume(ctx context.Context, run bus.Run) (int64, error) {
	next, err := c.Consumer.Consume(ctx, run)
	c.wake()
	return next, err
}
