package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func consumeCases() []testCase {
	return []testCase{
		{"Consume/InOrder", []need{subscriber}, consumeInOrder},
		{"Consume/Live", []need{subscriber}, consumeLive},
		{"Consume/AgainAfterAnError", []need{subscriber}, consumeError},
		{"Consume/OthersFlowBesideAnError", []need{subscriber, several}, consumeErrorBeside},
		{"Consume/OthersFlowBesideASlowOne", []need{subscriber, several}, consumeSlowBeside},
		{"Consume/Back", []need{subscriber}, consumeBack},
		{"Consume/Ahead", []need{subscriber}, consumeAhead},
		{"Consume/SkippedOffsets", []need{subscriber, feed, skipping}, consumeSkipped},
	}
}

// consumeInOrder has more than any bus gives in one run.
func consumeInOrder(e *env) {
	events := e.append(e.script.each(6000 / int(e.Partitions))...)
	p := newProbe()
	e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(events))
}

func consumeLive(e *env) {
	events := e.append(e.script.each(1)...)
	p := newProbe()
	e.start(e.group(), p)
	for range 20 {
		e.requireConsumed(p, e.byPartition(events))
		events = append(events, e.append(e.script.each(2)...)...)
	}
	e.requireConsumed(p, e.byPartition(events))
}

// consumeError fails each run several times, from the first on.
func consumeError(e *env) {
	events := e.append(e.script.each(10)...)
	p := newProbe()
	failures := make(map[int64]int)
	p.consume = func(_ context.Context, r bus.Run) (int64, error) {
		first := r.Records[0].Offset
		if r.Partition == 0 && failures[first] < 3 {
			failures[first]++
			return behind(r), errors.New("the read DB is away")
		}
		return behind(r), nil
	}
	e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(events))
	events = append(events, e.append(e.script.each(5)...)...)
	e.requireConsumed(p, e.byPartition(events))
}

func consumeErrorBeside(e *env) {
	events := e.append(e.script.each(10)...)
	p := newProbe()
	p.consume = func(_ context.Context, r bus.Run) (int64, error) {
		if r.Partition == 0 {
			return 0, errors.New("this one never works")
		}
		return behind(r), nil
	}
	e.start(e.group(), p)
	want := e.byPartition(events)
	want[0] = nil
	e.requireConsumed(p, want)
	events = append(events, e.append(e.script.each(5)...)...)
	want = e.byPartition(events)
	want[0] = nil
	e.requireConsumed(p, want)
}

func consumeSlowBeside(e *env) {
	events := e.append(e.script.each(10)...)
	p := newProbe()
	release := make(chan struct{})
	p.consume = func(ctx context.Context, r bus.Run) (int64, error) {
		if r.Partition == 0 {
			select {
			case <-release:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return behind(r), nil
	}
	e.start(e.group(), p)
	for range 3 {
		want := e.byPartition(events)
		want[0] = nil
		e.requireConsumed(p, want)
		events = append(events, e.append(e.script.each(5)...)...)
	}
	close(release)
	e.requireConsumed(p, e.byPartition(events))
}

// consumeBack goes back once, from the end to the middle.
func consumeBack(e *env) {
	events := e.append(e.script.in(0, 20)...)
	p := newProbe()
	seek := &seeker{when: 20, by: -8}
	p.consume = seek.consume
	e.start(e.group(), p)
	names := e.script.names(0, events)
	want := slices.Concat(names, names[12:])
	e.eventuallyf(func() bool { return p.count() >= len(want) }, "the last ones are to be consumed again")
	require.Equal(e, want, p.names(0))
	more := e.append(e.script.in(0, 2)...)
	want = append(want, e.script.names(0, more)...)
	e.eventuallyf(func() bool { return p.count() >= len(want) }, "and what comes then")
	require.Equal(e, want, p.names(0))
}

// consumeAhead passes three by, of those that came during its first run.
func consumeAhead(e *env) {
	events := e.append(e.script.in(0, 5)...)
	p := newProbe()
	inside, more := make(chan int, 1), make(chan struct{})
	first := true // used by the calls for partition 0 only
	p.consume = func(ctx context.Context, r bus.Run) (int64, error) {
		if r.Partition != 0 || !first {
			return behind(r), nil
		}
		first = false
		inside <- len(r.Records)
		select {
		case <-more:
			return behind(r) + 3, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	e.start(e.group(), p)
	var n int
	select {
	case n = <-inside:
	case <-e.ctx.Done():
		require.Fail(e, "Consume is never called")
	}
	events = append(events, e.append(e.script.in(0, 10)...)...)
	close(more)
	names := e.script.names(0, events)
	want := slices.Concat(names[:n], names[n+3:])
	e.eventuallyf(func() bool { return p.count() >= len(want) }, "the rest is to be consumed")
	require.Equal(e, want, p.names(0))
}

// seeker goes elsewhere once, when it has seen so many records.
type seeker struct {
	when int
	by   int64
	mu   sync.Mutex
	seen int
	went bool
}

func (s *seeker) consume(_ context.Context, r bus.Run) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen += len(r.Records)
	if s.seen >= s.when && !s.went {
		s.went = true
		return behind(r) + s.by, nil
	}
	return behind(r), nil
}

func consumeSkipped(e *env) {
	events := e.append(e.script.in(0, 5)...)
	e.SkipOffsets(e, 0)
	events = append(events, e.append(e.script.in(0, 5)...)...)
	e.SkipOffsets(e, 0)
	p := newProbe()
	e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(events))
	events = append(events, e.append(e.script.in(0, 5)...)...)
	e.requireConsumed(p, e.byPartition(events))
}
