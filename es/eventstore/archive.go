package eventstore

import (
	"context"
	"errors"
	"iter"

	"passbook/es/event"
)

// What follows is offered by engines whose stores can be written to a file as a
// whole, put back from one, or given a new history. It is no part of Engine:
// nothing that runs beside commands needs it.

// KeySource is an engine that can list its idempotency keys.
type KeySource interface {
	// Keys yields what was committed under idempotency keys at positions up to
	// and including upTo, ascending by position. With upTo at or below a head
	// that was read before, it yields the same whenever it is called. It may run
	// for long beside a writer, so it consists of short reads. It ends behind
	// the first error.
	Keys(ctx context.Context, upTo int64) iter.Seq2[KeyRecord, error]
}

// Renewer is an engine that can give its store a new history.
type Renewer interface {
	// Renew gives the store a new history id and returns it once that is
	// durable. It is for a store that was put back from a back-up: what was
	// published since that back-up was taken is not in it, and its next events
	// will be others at the same positions. A store that was marked as a back-up
	// has a history again.
	//
	// The caller holds the store alone: a Store that stands on it goes on with
	// the old id. A store with an import under way is refused with ErrNoHistory.
	Renew(ctx context.Context) (history string, err error)
}

// Filler is an engine whose empty store can be filled with the history of
// another one. The caller holds the store alone from BeginImport on.
//
// From BeginImport until EndImport the store has no history: Engine.History
// returns ErrNoHistory, so that nobody serves or exports a part of one. What the
// other methods of Engine return in between is not said.
type Filler interface {
	// BeginImport marks the store, durably, as being filled from source, and
	// returns 0. If that was done before and not ended, it returns the last
	// position that was imported; with another source that is ErrOtherImport. A
	// store that holds events of its own is refused with ErrNotEmpty.
	BeginImport(ctx context.Context, source string) (head int64, err error)

	// ImportEvents writes events as they are, metadata and time, id, version and
	// position included, and the keys whose commits end among them: all of it
	// durably or nothing. The first position is that behind the last one that was
	// imported. The events are of one history that the caller has checked; an
	// engine need not notice if they are not.
	ImportEvents(ctx context.Context, events []event.Envelope, keys []KeyRecord) error

	// EndImport gives the store a new history id and takes the mark away, both
	// at once, and returns the id. Without an import under way it fails.
	EndImport(ctx context.Context) (history string, err error)
}

// Errors of stores that are put back or filled.
var (
	// ErrNoHistory: an import into the store has not ended, or it is a back-up
	// that was not put back. Its events are not to be served.
	ErrNoHistory = errors.New("event store has no history of its own")
	// ErrNotEmpty: an import needs a store without events.
	ErrNotEmpty = errors.New("event store is not empty")
	// ErrOtherImport: an import from another source is under way.
	ErrOtherImport = errors.New("another import is under way")
)
