package bustest

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/event"
)

func assignCases() []testCase {
	return []testCase{
		{"Assign/EveryPartition", []need{subscriber}, assignEvery},
		{"Assign/FromTheOffset", []need{subscriber}, assignOffset},
		{"Assign/FromTheEnd", []need{subscriber}, assignEnd},
		{"Assign/NeverFromTheGroup", []need{subscriber}, assignNotFromGroup},
		{"Assign/AgainAfterAnError", []need{subscriber}, assignError},
		{"Assign/TopicMadeAgain", []need{subscriber, recreate}, assignMadeAgain},
		{"Assign/OffsetGone", []need{subscriber, trim}, assignGone},
		{"Assign/TopicMissing", []need{subscriber, mayMiss}, assignMissing},
	}
}

// byPartition are the names of events in each partition.
func (e *env) byPartition(events []event.Envelope) [][]string {
	all := make([][]string, e.Partitions)
	for p := range all {
		all[p] = e.script.names(int32(p), events)
	}
	return all
}

func assignEvery(e *env) {
	events := e.append(e.script.each(5)...)
	p := newProbe()
	e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(events))
	for partition := range e.Partitions {
		a := p.assigned(partition)
		require.NotEmpty(e, a)
		require.Equal(e, e.Partitions, a[0].Topic.Partitions)
		require.Equal(e, int64(5), a[0].Bounds.End-a[0].Bounds.First)
	}
}

// assignOffset begins in the middle of each partition.
func assignOffset(e *env) {
	events := e.append(e.script.each(10)...)
	p := newProbe()
	p.assign = func(a bus.Assignment) (int64, error) { return a.Bounds.First + 6, nil }
	e.start(e.group(), p)
	want := e.byPartition(events)
	for i := range want {
		want[i] = want[i][6:]
	}
	e.requireConsumed(p, want)
}

// assignEnd begins behind what there is.
func assignEnd(e *env) {
	e.append(e.script.each(10)...)
	p := newProbe()
	p.assign = func(a bus.Assignment) (int64, error) { return a.Bounds.End, nil }
	e.start(e.group(), p)
	e.eventuallyf(func() bool { return len(p.holds()) == int(e.Partitions) }, "every partition is to be assigned")
	e.requireConsumed(p, e.byPartition(e.append(e.script.each(3)...)))
}

// assignNotFromGroup has a second life of the group read everything again.
func assignNotFromGroup(e *env) {
	group := e.group()
	want := e.byPartition(e.append(e.script.each(10)...))
	for range 2 {
		p := newProbe()
		run := e.start(group, p)
		e.requireConsumed(p, want)
		run.stop()
	}
}

func assignError(e *env) {
	want := e.byPartition(e.append(e.script.each(5)...))
	p := newProbe()
	var failures atomic.Int32
	p.assign = func(a bus.Assignment) (int64, error) {
		if a.Partition == 0 && failures.Add(1) <= 3 {
			return a.Bounds.First, errors.New("the read DB is away")
		}
		return a.Bounds.First + 2, nil
	}
	e.start(e.group(), p)
	for i := range want {
		want[i] = want[i][2:]
	}
	e.requireConsumed(p, want)
	require.GreaterOrEqual(e, len(p.assigned(0)), 4)
}

func assignMadeAgain(e *env) {
	before := e.append(e.script.each(5)...)
	p := newProbe()
	e.start(e.group(), p)
	e.requireConsumed(p, e.byPartition(before))
	former := p.assigned(0)[0].Topic

	e.Recreate(e)
	e.script = newScript(e.Partitions)
	after := e.append(e.script.each(3)...)
	e.eventuallyf(func() bool { return p.count() >= len(before)+len(after) }, "the new topic is to be consumed")
	want := e.byPartition(after)
	p.mu.Lock()
	defer p.mu.Unlock()
	found := make([][]string, e.Partitions)
	for _, r := range p.runs {
		if r.Topic.ID != former.ID {
			found[r.Partition] = append(found[r.Partition], namesOf(r)...)
		}
	}
	require.Equal(e, want, found, "everything in the new topic, each once, told to be of it")
	last := p.assignments[len(p.assignments)-1]
	require.NotEqual(e, former.ID, last.Topic.ID)
	require.LessOrEqual(e, last.Bounds.End, int64(3), "the bounds are those of the new topic")
}

// assignGone has a consumer go back to what was removed in between.
func assignGone(e *env) {
	events := e.append(e.script.in(0, 20)...)
	p := newProbe()
	p.consume = (&seeker{when: 21, by: -21}).consume
	e.start(e.group(), p)
	e.eventuallyf(func() bool { return p.count() == 20 }, "all is to be consumed")
	left := p.assigned(0)[0].Bounds.First + 10
	e.Trim(e, 0, left)
	trigger := e.append(e.script.in(0, 1)...)

	want := e.script.names(0, slices.Concat(events, trigger, events[10:], trigger))
	e.eventuallyf(func() bool { return p.count() >= len(want) }, "what is left is to be consumed again")
	require.Equal(e, want, p.names(0))
	again := p.assigned(0)
	require.GreaterOrEqual(e, len(again), 2, "Assign is called again")
	require.GreaterOrEqual(e, again[len(again)-1].Bounds.First, left)
}

func assignMissing(e *env) {
	p := newProbe()
	run := e.start(e.group(), p)
	require.True(e, run.goesOn(100*time.Millisecond), "Run waits for the topic")
	e.requireConsumed(p, e.byPartition(e.append(e.script.each(3)...)))
}
