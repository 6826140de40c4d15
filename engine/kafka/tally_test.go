package kafka_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

// tally is a consumer that keeps what it got, and where it is to go on.
type tally struct {
	before func(context.Context, bus.Run) error // called first in Consume, if set

	mu          sync.Mutex
	next        map[int32]int64
	values      map[int32][]string
	assignments []bus.Assignment
	revoked     []int32
	longest     int // records in a run
}

func newTally() *tally {
	return &tally{next: make(map[int32]int64), values: make(map[int32][]string)}
}

// Assign goes on where it stopped, or at the end if that is before it.
func (c *tally) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assignments = append(c.assignments, a)
	c.next[a.Partition] = min(max(c.next[a.Partition], a.Bounds.First), a.Bounds.End)
	return c.next[a.Partition], nil
}

func (c *tally) Consume(ctx context.Context, r bus.Run) (int64, error) {
	if c.before != nil {
		if err := c.before(ctx, r); err != nil {
			return 0, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, record := range r.Records {
		c.values[r.Partition] = append(c.values[r.Partition], string(record.Value))
		c.next[r.Partition] = record.Offset + 1
	}
	c.longest = max(c.longest, len(r.Records))
	return c.next[r.Partition], nil
}

func (c *tally) Revoke(partition int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked = append(c.revoked, partition)
}

func (c *tally) got(partition int32) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.values[partition])
}

func (c *tally) assigned(partition int32) []bus.Assignment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.assignments), func(a bus.Assignment) bool { return a.Partition != partition })
}

// holds tells how many partitions were assigned and not revoked.
func (c *tally) holds() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := make(map[int32]int)
	for _, a := range c.assignments {
		held[a.Partition] = 1
	}
	return len(held) - len(c.revoked)
}

// waitFor waits until a partition's values are these.
func (c *tally) waitFor(tb testing.TB, partition int32, want []string) {
	tb.Helper()
	eventually(tb, func() bool { return len(c.got(partition)) >= len(want) }, "everything is to be consumed")
	require.Equal(tb, want, c.got(partition))
}

// run drives the consumer until the test ends or it is stopped.
func run(tb testing.TB, b *kafka.Bus, group string, consumer bus.Consumer) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, group, consumer) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(tb, err)
		case <-within(tb).Done():
			require.Fail(tb, "Run does not return")
		}
	})
	tb.Cleanup(stop)
	return stop
}
