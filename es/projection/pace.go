package projection

import (
	"context"
	"sync"
	"time"

	"passbook/es/bus"
)

// paced is a Projection as Run gives it to a bus. A bus hands over what there is
// at a moment, which is an event or two while commands come in steadily, and a
// transaction costs the engine about the same for one event as for a hundred:
// taken as they come, they use up the machine that the commands need too. So
// there is a pace, which somebody who comes after a pause does not notice.
type paced[Tx any] struct {
	*Projection[Tx]
	pace time.Duration

	mu    sync.Mutex
	begun map[int32]time.Time // by partition, when its last run was begun
}

func newPaced[Tx any](p *Projection[Tx]) *paced[Tx] {
	return &paced[Tx]{Projection: p, pace: p.config.Pace, begun: make(map[int32]time.Time)}
}

// Consume implements bus.Consumer. While it waits, the bus gathers what the next
// run will be.
func (c *paced[Tx]) Consume(ctx context.Context, run bus.Run) (int64, error) {
	if isLast := run.Records[len(run.Records)-1].Offset+1 >= run.End; isLast {
		if err := c.wait(ctx, run.Partition); err != nil {
			return 0, err
		}
	}
	c.begin(run.Partition)
	return c.Projection.Consume(ctx, run)
}

// wait returns when the partition's next transaction is due.
func (c *paced[Tx]) wait(ctx context.Context, partition int32) error {
	c.mu.Lock()
	due := c.begun[partition].Add(c.pace)
	c.mu.Unlock()
	pause := time.Until(due)
	if pause <= 0 {
		return nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *paced[Tx]) begin(partition int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun[partition] = time.Now()
}

// Revoke implements bus.Consumer.
func (c *paced[Tx]) Revoke(partition int32) {
	c.mu.Lock()
	delete(c.begun, partition)
	c.mu.Unlock()
	c.Projection.Revoke(partition)
}
