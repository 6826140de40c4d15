// Package checkpoint is how far a reader has come, and who may say so: progress
// along a topic goes in and comes out, guarded by a lease with a fencing number.
//
// The suite in checkpointtest says in tests what the comments here say in words.
package checkpoint

import (
	"context"
	"errors"
	"time"
)

// Progress is how far a reader has come in one partition of a topic. It holds
// enough to notice that store, topic or record are not what they were: a
// number alone would be believed when it should not.
type Progress struct {
	// History is the id of the store's history that the events belong to.
	History string
	// Topic is the id (not the name) of the topic.
	Topic     string
	Partition int32
	// First is the partition's first offset when the progress was made.
	First int64
	// Next is the offset behind the last record that was dealt with.
	Next int64
	// EventID and Position are those of that record; empty and 0 while there
	// was none.
	EventID  string
	Position int64
	// Confirmed is the position up to which the reader has dealt with every
	// event of the history, in whatever partition; it is the same in all of a
	// reader's progress. The positions of its partitions can not tell: a
	// partition that is behind them may be quiet as well as late. It is 0 for
	// a reader that sees some of the partitions only.
	Confirmed int64
}

// Errors of Store, to be told apart with errors.Is.
var (
	// ErrHeld: somebody else has the lease.
	ErrHeld = errors.New("lease is held by another")
	// ErrLost: the lease that was used has been taken by another since, or was
	// given back.
	ErrLost = errors.New("lease lost")
)

// Lease is the right to act as the one reader of its name, for a time. Each
// time it is acquired, its fence grows.
type Lease struct {
	Name, Holder string
	Fence        int64
}

// Store keeps progress and leases. Time is the database's own, so that the
// clocks of the holders do not matter; durations count in milliseconds, parts
// of one rounded up. Safe for concurrent use.
//
// A lease is lost when somebody has acquired it since, its holder included, or
// when it was given back. That its time is up makes it free for others, and
// no more: as long as none of them took it, it can be renewed and used.
//
// Progress may be forgotten with the latest writes of a machine that dies: a
// reader that starts from older progress, or from none, finds the same things
// again. A fence is never forgotten.
type Store interface {
	// Acquire gives holder the lease for a duration, with a fence higher than
	// any before, if it is free or its time is up, or holder has it already.
	// Otherwise ErrHeld.
	Acquire(ctx context.Context, name, holder string, duration time.Duration) (Lease, error)
	// Renew prolongs a lease to duration from now, or returns ErrLost.
	Renew(ctx context.Context, lease Lease, duration time.Duration) error
	// Release gives a lease back; one that is lost already is left alone.
	Release(ctx context.Context, lease Lease) error

	// Load returns the progress of a reader, ascending by partition; none for
	// one that has not saved any.
	Load(ctx context.Context, reader string) ([]Progress, error)
	// Save replaces the whole progress of the reader that the lease names, or
	// returns ErrLost and changes nothing. Without an error, everything is
	// replaced at once: no Load finds a part of it.
	Save(ctx context.Context, lease Lease, progress []Progress) error
}
