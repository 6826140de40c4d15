// Package projectiontest is the suite that every projection.Store passes: a
// store goes in, failures come out. Its areas are transactions, checkpoints,
// parked streams and two writers at once; behind them stand scenarios, in which
// a Projection on the store meets what a bus and its brokers can do to it.
//
//	suite.go        Run, and what it wants of an engine
//	transaction.go  all of it or none
//	checkpoint.go   the fence
//	parked.go       parked streams and their queues
//	discarded.go    what was discarded, remembered
//	writers.go      two transactions at once
//	rows.go         tables for the suite on engines that speak SQL, and in memory
//	model.go        Tally, a read model on any engine
//	topic.go        a topic in memory that can be spoiled
//	member.go       one member of the group, and ways to disturb it
//	paused.go, redelivery.go, standstill.go, park.go, discard.go, trouble.go  scenarios
//	lines.go        RunLines: two lines beside each other, for projection.Lines
//	lines_swap.go   a line swapped, refused and dropped
//	lines_beside.go  … while others read and write
package projectiontest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/projection"
)

// T is what a check needs of *testing.T. Planted faults are run with another
// one, which only notes that the check has failed.
type T interface {
	require.TestingT
	Helper()
	Context() context.Context
	Cleanup(fn func())
	TempDir() string
}

// Database is an empty database of the engine under test.
type Database[Tx any] struct {
	// Open returns a store on the database. Each member of a group gets one of
	// its own, as processes do.
	Open func(t T) projection.Store[Tx]
	// Rows is a table in the same database.
	Rows Rows[Tx]
	// Model, if it is there, stands between a projection and the suite's model.
	// It is for planting faults. Where what it returns is a Watcher, that sees
	// what a member is about to consume.
	Model func(model projection.Model[Tx]) projection.Model[Tx]
}

// Watcher sees what a member is about to consume.
type Watcher interface {
	// Watch is called with each run, before it is consumed.
	Watch(run bus.Run)
}

// Rows is a table of a key and a text, which the suite keeps its model in.
type Rows[Tx any] interface {
	// Get returns the text of a row, or "" where there is none.
	Get(ctx context.Context, tx Tx, key string) (string, error)
	// Swap replaces the text of a row, if it is old, and reports whether it
	// was; "" stands for no row. Comparing and setting are one statement.
	Swap(ctx context.Context, tx Tx, key, old, text string) (bool, error)
}

// Check is one thing that the suite looks at.
type Check[Tx any] struct {
	Name string
	Run  func(t T, db Database[Tx])
}

// Run runs every check on a database of its own, in parallel.
func Run[Tx any](t *testing.T, open func(t T) Database[Tx]) {
	t.Helper()
	for _, check := range Checks[Tx]() {
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			check.Run(t, open(t))
		})
	}
}

// Checks returns what Run runs.
func Checks[Tx any]() []Check[Tx] {
	return []Check[Tx]{
		{"Transaction/Commit", commits[Tx]},
		{"Transaction/Rollback", rollsBack[Tx]},
		{"Transaction/Panic", rollsBackOnPanic[Tx]},
		{"Transaction/Canceled", refusesCanceled[Tx]},
		{"Transaction/ViewReads", viewReads[Tx]},
		{"Checkpoint/None", noCheckpoint[Tx]},
		{"Checkpoint/SaveAndLoad", savesCheckpoint[Tx]},
		{"Checkpoint/Consumers", keepsConsumersApart[Tx]},
		{"Checkpoint/LockedWhileMissing", locksMissingCheckpoint[Tx]},
		{"Checkpoint/Several", savesSeveralCheckpoints[Tx]},
		{"Checkpoint/SeveralLocked", locksSeveralCheckpoints[Tx]},
		{"Parked/Streams", parksStreams[Tx]},
		{"Parked/Pages", pagesParked[Tx]},
		{"Parked/Names", parksAnyName[Tx]},
		{"Discarded/Remembers", remembersDiscarded[Tx]},
		{"Discarded/Pages", pagesDiscarded[Tx]},
		{"Queue/Order", ordersQueue[Tx]},
		{"Queue/Idempotent", queuesOnce[Tx]},
		{"Queue/Whole", keepsEventsWhole[Tx]},
		{"Queue/Dequeue", dequeues[Tx]},
		{"Writers/Checkpoint", fencesWriters[Tx]},
		{"Writers/Parked", locksParked[Tx]},
		{"Scenario/PausedConsumer", PausedConsumer[Tx]},
		{"Scenario/RedeliveryFromTheBeginning", RedeliveryFromTheBeginning[Tx]},
		{"Scenario/TopicMadeAgain", TopicMadeAgain[Tx]},
		{"Scenario/LostTailUnderConsumer", LostTailUnderConsumer[Tx]},
		{"Scenario/FeedTruncated", FeedTruncated[Tx]},
		{"Scenario/OtherHistory", OtherHistory[Tx]},
		{"Scenario/GapParksAndHeals", GapParksAndHeals[Tx]},
		{"Scenario/DifferenceIsNotADuplicate", DifferenceIsNotADuplicate[Tx]},
		{"Scenario/UnapplicableParksOneStream", UnapplicableParksOneStream[Tx]},
		{"Scenario/LongQueueDrains", LongQueueDrains[Tx]},
		{"Scenario/DiscardPassesOver", DiscardPassesOver[Tx]},
		{"Scenario/DiscardSettlesDifference", DiscardSettlesDifference[Tx]},
		{"Scenario/DiscardRefuses", DiscardRefuses[Tx]},
		{"Scenario/DiscardDrains", DiscardDrains[Tx]},
		{"Scenario/UnknownCommit", UnknownCommit[Tx]},
		{"Scenario/EngineErrorRetriesBatch", EngineErrorRetriesBatch[Tx]},
	}
}
