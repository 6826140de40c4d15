package kafka_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// ledger is the database that the members of a group share: a checkpoint for
// each partition and what was applied, which change together and only if the
// run begins at the checkpoint.
type ledger struct {
	mu      sync.Mutex
	next    map[int32]int64
	applied map[int32][]string
	by      map[int32]string // who applied last
}

func newLedger() *ledger {
	return &ledger{next: make(map[int32]int64), applied: make(map[int32][]string), by: make(map[int32]string)}
}

func (l *ledger) checkpoint(partition int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next[partition]
}

// apply returns where to go on; a run that begins elsewhere is not applied.
func (l *ledger) apply(member string, r bus.Run) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Records[0].Offset == l.next[r.Partition] {
		for _, record := range r.Records {
			l.applied[r.Partition] = append(l.applied[r.Partition], string(record.Value))
		}
		l.next[r.Partition] = r.Records[len(r.Records)-1].Offset + 1
		l.by[r.Partition] = member
	}
	return l.next[r.Partition]
}

// count is how much was applied of each partition, at least.
func (l *ledger) count(partitions int32) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := len(l.applied[0])
	for p := range partitions {
		least = min(least, len(l.applied[p]))
	}
	return least
}

// appliedBy are those who applied last, each once.
func (l *ledger) appliedBy() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, name := range l.by {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (l *ledger) requireOnce(tb testing.TB, partitions int32, n int) {
	tb.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range partitions {
		require.Equal(tb, numbers(n), l.applied[p], "partition %d: each once, in order", p)
	}
}

// clerk is a member's consumer: it applies to the ledger, and keeps what it was
// given and lost.
type clerk struct {
	name   string
	ledger *ledger

	mu     sync.Mutex
	held   map[int32]bool
	events map[int32][]string
}

func newClerk(name string, l *ledger) *clerk {
	return &clerk{name: name, ledger: l, held: make(map[int32]bool), events: make(map[int32][]string)}
}

func (c *clerk) note(partition int32, event string, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[partition] = held
	c.events[partition] = append(c.events[partition], event)
}

// Assign begins at the checkpoint, as a projection does.
func (c *clerk) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	c.note(a.Partition, "assign", true)
	return c.ledger.checkpoint(a.Partition), nil
}

func (c *clerk) Consume(_ context.Context, r bus.Run) (int64, error) {
	return c.ledger.apply(c.name, r), nil
}

func (c *clerk) Revoke(partition int32) { c.note(partition, "revoke", false) }

// holds are the partitions that it has, in order.
func (c *clerk) holds() []int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var partitions []int32
	for p, held := range c.held {
		if held {
			partitions = append(partitions, p)
		}
	}
	slices.Sort(partitions)
	return partitions
}

// stories are what happened here to the partitions that it holds or has held.
func (c *clerk) stories() map[int32]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[int32]string)
	for p, events := range c.events {
		all[p] = strings.Join(events, " ")
	}
	return all
}

// shared tells whether the clerks hold all partitions, each one once, and none
// of them more than most or fewer than least.
func shared(partitions int32, least, most int, clerks ...*clerk) bool {
	var all []int32
	for _, c := range clerks {
		held := c.holds()
		if len(held) < least || len(held) > most {
			return false
		}
		all = append(all, held...)
	}
	slices.Sort(all)
	for p := range partitions {
		if int(p) >= len(all) || all[p] != p {
			return false
		}
	}
	return len(all) == int(partitions)
}
