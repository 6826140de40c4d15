// Package bustest is the suite that every bus passes, whole or only its
// subscriber: a bus under test goes in, with the means to do to it what the
// cases need; what it does not keep of the contract in package bus comes out
// as failed subtests.
//
//	bustest.go             Run, Options, Bus
//	env.go                 what a case works with
//	script.go              events in known partitions
//	probe.go               a consumer that keeps and checks what it is given
//	feed.go                Open, Bounds
//	read.go                Read
//	producer.go            Publish: places, order, durability
//	producer_end.go        Publish: failures, the end of a producer
//	subscriber_assign.go   where reading begins
//	subscriber_consume.go  runs, failures, seeking
//	subscriber_group.go    members, groups, the end of Run
//	topics.go              RunTopics: other topics than the feed
package bustest

import (
	"context"
	"slices"
	"testing"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// Options say how the suite gets at the bus under test.
type Options struct {
	// New returns a bus for one case, with a topic in which there is nothing,
	// or none yet. It cleans up by tb.Cleanup. Cases run in parallel.
	New func(tb testing.TB) Bus
	// Patience is how long a case waits for what is to happen; 0 stands for
	// 30 s. It decides only how fast a failure shows.
	Patience time.Duration
}

// Bus is one bus under test. What is nil or false it does not have; the cases
// that need it are skipped, and say so.
type Bus struct {
	// Partitions is how many its topic has. A bus without partitions has 1.
	Partitions int32

	// Feed is the writer's side. Without it only the subscriber is tested.
	Feed bus.Feed
	// Again returns a feed of the same topic as another process has it.
	Again func(tb testing.TB) bus.Feed

	// Subscriber is the readers' side. Without it only the feed is tested.
	Subscriber bus.Subscriber
	// Groups tells that the members of a group share the partitions.
	Groups bool
	// TopicMayMiss tells that there is no topic before the first Open or
	// Append, so that Run has to wait for it.
	TopicMayMiss bool
	// Append brings events in, in their order. Their versions count from 0 in
	// each stream and their positions from 1. Where there is a Feed it may be
	// nil: then the suite publishes them itself.
	Append func(ctx context.Context, events []event.Envelope) error

	// Recreate deletes the topic and makes it again, empty.
	Recreate func(tb testing.TB)
	// Trim removes the records of a partition that lie before an offset.
	Trim func(tb testing.TB, partition int32, before int64)
	// SkipOffsets uses up some offsets of a partition without leaving records.
	SkipOffsets func(tb testing.TB, partition int32)
	// Refuse lets some more writes to a partition succeed and has the next one
	// refused for good; those behind it would succeed again. A write is
	// whatever the bus stores in one go.
	Refuse func(tb testing.TB, partition int32, after int)
}

// Run runs every case for which the bus has what it takes, as a subtest.
func Run(t *testing.T, o Options) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, o)
			if lack := c.lack(e.Bus); lack != "" {
				t.Skipf("the bus has no %s", lack)
			}
			c.run(e)
		})
	}
}

// testCase is a named rule of the contract.
type testCase struct {
	name  string
	needs []need
	run   func(*env)
}

// need returns what a bus lacks, or nothing.
type need func(Bus) string

func (c testCase) lack(b Bus) string {
	for _, n := range c.needs {
		if lack := n(b); lack != "" {
			return lack
		}
	}
	return ""
}

func cases() []testCase {
	return slices.Concat(
		feedCases(), readCases(), producerCases(), producerEndCases(),
		assignCases(), consumeCases(), groupCases(),
	)
}

func feed(b Bus) string       { return unless(b.Feed != nil, "feed") }
func subscriber(b Bus) string { return unless(b.Subscriber != nil, "subscriber") }
func again(b Bus) string      { return unless(b.Again != nil, "second feed") }
func groups(b Bus) string     { return unless(b.Groups, "members that share") }
func mayMiss(b Bus) string    { return unless(b.TopicMayMiss, "topic that may be missing") }
func recreate(b Bus) string   { return unless(b.Recreate != nil, "way to make its topic again") }
func trim(b Bus) string       { return unless(b.Trim != nil, "way to remove records") }
func skipping(b Bus) string   { return unless(b.SkipOffsets != nil, "way to skip offsets") }
func refusing(b Bus) string   { return unless(b.Refuse != nil, "way to refuse a write") }
func several(b Bus) string    { return unless(b.Partitions > 1, "second partition") }

func unless(has bool, what string) string {
	if has {
		return ""
	}
	return what
}
