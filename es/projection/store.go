package projection

import (
	"context"
	"errors"
	"time"

	"passbook/es/checkpoint"
	"passbook/es/event"
)

// ErrNotParked is returned for a stream that is not parked.
var ErrNotParked = errors.New("stream is not parked")

// Store is what an engine implements: transactions in which a model's rows, the
// checkpoints of its consumers and their parked streams change together or not
// at all. Tx is the engine's own transaction, such as *sql.Tx.
//
// An engine creates and migrates the tables of its Store and no others. Several
// consumers may share a Store; what is kept is told apart by the consumer's
// name. Methods that take a Tx are used by one goroutine at a time with each;
// everything else is safe for concurrent use. The suite in projectiontest says
// in tests what the comments here say in words.
type Store[Tx any] interface {
	// Update runs fn once in a transaction that may write, and commits it when
	// fn returns nil; otherwise nothing of it remains, and fn's error is
	// returned as it is. Any error of the commit itself leaves open whether it
	// took place. fn must not start another transaction.
	//
	// Two transactions that lock the same checkpoint or the same parked stream
	// run one after the other, and the second sees what the first committed.
	Update(ctx context.Context, fn func(tx Tx) error) error
	// View runs fn once in a transaction that only reads, and that sees one
	// state of the database, without waiting for writers to end where the
	// engine can do that.
	View(ctx context.Context, fn func(tx Tx) error) error

	// LockCheckpoints returns how far a consumer has come in each of the
	// partitions, in their order, and keeps that from every other Update until
	// this one ends. Without progress that was saved it returns one with nothing
	// but the partition's number, locked all the same. The partitions are given in
	// ascending order and are locked in that order, so that no two transactions
	// wait for each other. It is the first statement of its transaction.
	LockCheckpoints(ctx context.Context, tx Tx, consumer string, partitions ...int32) ([]checkpoint.Progress, error)
	// SaveCheckpoints replaces the progress in the partitions that are named. Only
	// a transaction that has locked them may do so.
	SaveCheckpoints(ctx context.Context, tx Tx, consumer string, progress ...checkpoint.Progress) error
	// Checkpoints returns a consumer's progress, ascending by partition, without
	// locking it.
	Checkpoints(ctx context.Context, tx Tx, consumer string) ([]checkpoint.Progress, error)

	// LockParked returns those of the streams that are parked and keeps them
	// from every other Update that locks them, until this one ends. Queued may
	// be left at 0. The streams are given in ascending order and are locked in
	// that order, so that no two transactions wait for each other.
	//
	// With them comes what was discarded of any of the streams, parked or not,
	// in the order of Discarded: every batch has to know it, and this way it
	// costs no statement of its own where an engine can answer both in one. It
	// is as of a moment after the locks were got.
	LockParked(ctx context.Context, tx Tx, consumer string, streams []string) (map[string]Parked, []Discarded, error)
	// Park keeps a stream as parked, or replaces what is kept of one; Since
	// stays what it was when the stream was first parked, by the engine's own
	// clock, and Queued is not stored.
	Park(ctx context.Context, tx Tx, consumer string, parked Parked) error
	// Unpark removes a stream whose queue is empty from the parked ones.
	Unpark(ctx context.Context, tx Tx, consumer, stream string) error
	// ParkedStream returns a stream with the length of its queue, or
	// ErrNotParked. It locks nothing.
	ParkedStream(ctx context.Context, tx Tx, consumer, stream string) (Parked, error)
	// ParkedStreams returns parked streams with the lengths of their queues,
	// ascending by name (by bytes), those behind name after, limit at most. It
	// locks nothing.
	ParkedStreams(ctx context.Context, tx Tx, consumer, after string, limit int) ([]Parked, error)

	// CountParked returns how many streams are parked. It locks nothing.
	CountParked(ctx context.Context, tx Tx, consumer string) (int64, error)

	// Discard remembers an event as discarded, At the moment on the engine's own
	// clock; one that is remembered already stays as it is. What was discarded
	// belongs to no line of a read model: every line sees it, and it stays when
	// they are swapped or dropped.
	Discard(ctx context.Context, tx Tx, consumer string, discarded Discarded) error
	// Discarded returns everything that was discarded of a stream, ascending by
	// version, then by event id (by bytes).
	Discarded(ctx context.Context, tx Tx, consumer, stream string) ([]Discarded, error)
	// Discards returns discarded events, ascending by stream (by bytes), then by
	// version, then by event id: those behind the one that stands, or would
	// stand, at after's Stream, Version and EventID, limit at most. The zero
	// value stands before all.
	Discards(ctx context.Context, tx Tx, consumer string, after Discarded, limit int) ([]Discarded, error)

	// Enqueue puts events of parked streams into the queues of their streams
	// and returns how many were not there yet. An event that is there, with the
	// same version and id, stays as it is; two events of one version with
	// different ids are both kept. The events come back as they were given, but
	// for Category and Metadata.Actor, which do not travel on a bus.
	Enqueue(ctx context.Context, tx Tx, consumer string, events []event.Envelope) (int, error)
	// Queue returns the front of a stream's queue, limit at most: ascending by
	// version, equal versions in the order in which they arrived.
	Queue(ctx context.Context, tx Tx, consumer, stream string, limit int) ([]event.Envelope, error)
	// Dequeue removes events, by stream, version and id, from the queues. One
	// that is not there is no error.
	Dequeue(ctx context.Context, tx Tx, consumer string, events []event.Envelope) error
}

// Reason says why a stream is parked.
type Reason string

// The reasons, as they are stored.
const (
	// ReasonGap: an event is missing. It heals when the event arrives.
	ReasonGap Reason = "gap"
	// ReasonDifference: another event than the one that was applied claims its
	// version. One of the two is wrong, and no program can say which.
	ReasonDifference Reason = "difference"
	// ReasonUnapplicable: this program cannot apply the event. It is tried again
	// when a program starts, since a newer one may.
	ReasonUnapplicable Reason = "unapplicable"
	// ReasonDraining: nothing is in the way any more, but the queue is longer
	// than what one transaction applies.
	ReasonDraining Reason = "draining"
)

// Parked is a stream that cannot go on.
type Parked struct {
	Stream string
	Reason Reason
	// Version is the one that the stream waits for (gap, draining) or the one
	// of the event that is in the way, with EventID.
	Version int64
	EventID string
	// Error is one line for people.
	Error string
	// Since is when the stream was parked, in UTC.
	Since time.Time
	// Queued counts the events that wait in its queue.
	Queued int64
}
