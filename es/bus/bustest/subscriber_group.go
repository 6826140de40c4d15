package bustest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func groupCases() []testCase {
	return []testCase{
		{"Run/EndsWithItsContext", []need{subscriber}, runEnds},
		{"Run/EndsWithoutEvents", []need{subscriber}, runEndsIdle},
		{"Run/EndsInsideConsume", []need{subscriber}, runEndsInside},
		{"Group/EachGetsAll", []need{subscriber}, groupEachAll},
		{"Group/MembersShare", []need{subscriber, groups, several}, groupShare},
		{"Group/MemberLeaves", []need{subscriber, groups, several}, groupLeave},
	}
}

func runEnds(e *env) {
	events := e.append(e.script.each(5)...)
	p := newProbe()
	run := e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(events))
	run.stop()
	e.append(e.script.each(5)...)
	require.Equal(e, len(events), p.count(), "nothing comes after Run has returned")
}

func runEndsIdle(e *env) {
	if !e.TopicMayMiss {
		e.append()
	}
	e.start(e.group(), newProbe()).stop()
}

// runEndsInside ends Run while a consumer waits for its own context.
func runEndsInside(e *env) {
	e.append(e.script.each(5)...)
	p := newProbe()
	inside := make(chan struct{})
	var once sync.Once
	p.consume = func(ctx context.Context, _ bus.Run) (int64, error) {
		once.Do(func() { close(inside) })
		<-ctx.Done()
		return 0, ctx.Err()
	}
	run := e.start(e.group(), p)
	select {
	case <-inside:
	case <-e.ctx.Done():
		require.Fail(e, "Consume is never called")
	}
	run.stop()
	require.Zero(e, p.count())
}

func groupEachAll(e *env) {
	events := e.append(e.script.each(5)...)
	a, b := newProbe(), newProbe()
	e.start(e.group(), a)
	e.start(e.group(), b)
	e.requireConsumed(a, e.byPartition(events))
	e.requireConsumed(b, e.byPartition(events))
}

// ledger is the checkpoint that the members of a group share. It notices two
// that act on one partition.
type ledger struct {
	mu     sync.Mutex
	next   map[int32]int64
	names  map[int32][]string
	faults []string
}

func newLedger() *ledger {
	return &ledger{next: make(map[int32]int64), names: make(map[int32][]string)}
}

// member returns a probe whose progress is kept here.
func (l *ledger) member() *probe {
	p := newProbe()
	p.assign = func(a bus.Assignment) (int64, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, known := l.next[a.Partition]; !known {
			l.next[a.Partition] = a.Bounds.First
		}
		return l.next[a.Partition], nil
	}
	p.consume = func(_ context.Context, r bus.Run) (int64, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if first := r.Records[0].Offset; first != l.next[r.Partition] {
			l.faults = append(l.faults, fmt.Sprintf("partition %d goes on at %d instead of %d", r.Partition, first, l.next[r.Partition]))
		}
		l.next[r.Partition] = behind(r)
		l.names[r.Partition] = append(l.names[r.Partition], namesOf(r)...)
		return behind(r), nil
	}
	return p
}

// requireConsumed waits until the members have consumed all these together.
func (l *ledger) requireConsumed(e *env, events [][]string) {
	e.Helper()
	e.eventuallyf(func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for p, names := range events {
			if len(l.names[int32(p)]) < len(names) {
				return false
			}
		}
		return true
	}, "the members are to consume everything")
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(e, l.faults)
	for p, names := range events {
		require.Equal(e, names, l.names[int32(p)])
	}
}

// requireShared waits until the members hold every partition once, and each
// holds one.
func (e *env) requireShared(members ...*probe) {
	e.Helper()
	all := make([]int32, e.Partitions)
	for p := range all {
		all[p] = int32(p)
	}
	e.eventuallyf(func() bool {
		var held []int32
		for _, m := range members {
			has := m.holds()
			if len(has) == 0 {
				return false
			}
			held = append(held, has...)
		}
		slices.Sort(held)
		return slices.Equal(all, held)
	}, "each partition is to be with one member, and no member without")
}

func groupShare(e *env) {
	group, l := e.group(), newLedger()
	events := e.append(e.script.each(5)...)
	a, b := l.member(), l.member()
	e.start(group, a)
	e.requireShared(a)
	e.start(group, b)
	e.requireShared(a, b)
	events = append(events, e.append(e.script.each(5)...)...)
	l.requireConsumed(e, e.byPartition(events))
}

func groupLeave(e *env) {
	group, l := e.group(), newLedger()
	events := e.append(e.script.each(5)...)
	a, b := l.member(), l.member()
	run := e.start(group, a)
	e.start(group, b)
	e.requireShared(a, b)
	events = append(events, e.append(e.script.each(5)...)...)
	run.stop()
	e.requireShared(b)
	events = append(events, e.append(e.script.each(5)...)...)
	l.requireConsumed(e, e.byPartition(events))
}
