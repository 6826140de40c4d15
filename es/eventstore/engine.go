package eventstore

import (
	"context"
	"errors"

	"passbook/es/event"
)

// Engine is what a technology implements to hold a Store's events. It is kept
// small: everything that can be written once for all engines stands in Store.
// The suite in eventstoretest says in tests what the comments here say in words.
//
// Every method is safe for concurrent use, except that Append has one caller
// at a time in a process. Other processes may append at the same moment where
// Features.SharedWriters is set. Engines return raw errors; Store wraps them.
//
// What a reading method returns is durable: it can not vanish again, whatever
// dies, and it belongs to an unbroken run of positions from 1.
type Engine interface {
	// History returns the random id that the store got when it was created. It
	// changes when the store is put back from a back-up or filled by an import,
	// so that progress made along another history is never taken for progress
	// along this one. A store that is not to be served has none: ErrNoHistory.
	History(ctx context.Context) (string, error)

	// Head returns the position of the last durable event, 0 in an empty store.
	Head(ctx context.Context) (int64, error)

	// Append writes commits from the front of the group, each whole or not at
	// all, until one cannot be written, and says of each what became of it, in
	// the group's order. See Outcome and ErrNotWritten.
	//
	// The first event of the group is to get position first, those behind it
	// the following ones, within a commit and across commits. Where first is
	// not the store's head plus one, nothing is written.
	//
	// A commit that is in the store already, because an earlier attempt did
	// arrive, is not written again, whatever first is: it is Written at the
	// place where it stands. It is known by its first event: the same id at the
	// same version of the same stream. Commits without events before it are
	// Written too, for they held when it was written. Behind it the call may
	// stop. So the same group may be handed in again after an error, any number
	// of times, and is in the store once.
	Append(ctx context.Context, first int64, group []Commit) ([]Outcome, error)

	// ReadStream returns events of a stream, ascending by version, from version
	// from (inclusive): as many as limit, fewer only where the stream ends. An
	// unknown stream has none.
	ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error)

	// ReadAll returns events of the store, ascending by position, those behind
	// position after: as many as limit, fewer only where the store ends.
	ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error)

	// StreamVersion returns the version of a stream's last event, or
	// event.NoVersion.
	StreamVersion(ctx context.Context, stream string) (int64, error)

	// FindKey returns what was committed under an idempotency key, or
	// ErrKeyNotFound.
	FindKey(ctx context.Context, key event.Key) (KeyRecord, error)

	// SaveSnapshot keeps a snapshot in place of the stream's earlier one. It
	// need not be durable at once.
	SaveSnapshot(ctx context.Context, snapshot Snapshot) error

	// LoadSnapshot returns the stream's snapshot, or ErrNoSnapshot.
	LoadSnapshot(ctx context.Context, stream string) (Snapshot, error)

	// Features tells what differs between engines.
	Features() Features
}

// PageBytes ends a page of ReadAll behind the event with which its payloads come
// to so many bytes, or go beyond: whoever reads the whole store needs memory for a
// page, and that must not depend on how large events are.
const PageBytes = 4 << 20

// Features declares what differs between engines and a caller has to know.
type Features struct {
	// SharedWriters: several processes may append to one store. Then a refusal
	// is confirmed against the store before it is answered, and a reader has
	// to look for what others wrote.
	SharedWriters bool
	// GroupEvents and GroupBytes are the largest group that one Append takes;
	// 0 leaves the Store's own limits. A single commit may be larger.
	GroupEvents, GroupBytes int
}

// Commit is the events of one command: they become durable together or not at
// all. A Commit without events asks only whether Expected is still the
// stream's version; it may not carry a key.
type Commit struct {
	Stream string
	// Expected is the version of the stream's last event, event.NoVersion for
	// a stream that must not exist yet. There is no value that skips the check.
	Expected int64
	// Events lie behind Expected. The Store fills in Stream and Version.
	// Position is the engine's to give.
	Events []event.Envelope
	// Key, RequestHash and Result are kept with the events under the same
	// commit, so that the key finds the result as long as the store lives.
	Key                 event.Key
	RequestHash, Result []byte
}

// State is what became of one commit of a group.
type State uint8

// The states of a commit after Engine.Append.
const (
	// NotTried: this call did not write it.
	//   - With a nil error or ErrNotWritten it never will. If, beside that, the
	//     group's first position is taken by another event, then no earlier
	//     attempt at that position will either.
	//   - With any other error it may be in the store, or arrive there later.
	NotTried State = iota
	// Written: durable.
	Written
	// Conflict: the stream's version is not Expected.
	Conflict
	// KeyTaken: another commit holds the key. Where the version is not Expected
	// either, an engine may say one or the other.
	KeyTaken
	// Rejected: the engine can not hold this commit, now or later: an event id
	// that another event has, a document larger than its limit. Without this
	// answer, one such commit would be tried again for ever, and its whole
	// group with it.
	Rejected
)

// Outcome is what Engine.Append says of one commit. The written commits of a
// call stand before all others; an engine may say Conflict, KeyTaken or
// Rejected of as many of the rest as it knows about, at least of the first of
// them when that is why it stopped.
type Outcome struct {
	State State
	// Position of the commit's first event, with Written; 0 without events.
	Position int64
	// Actual version of the stream, with Conflict.
	Actual int64
	// Prior is what the key's holder committed, with KeyTaken.
	Prior KeyRecord
	// Reason says what is wrong with the commit, with Rejected.
	Reason string
	// Seen is the last position of the store that the call has seen, with NotTried
	// of a commit whose place was taken; 0 where it does not tell. It saves the
	// Store a look at the head.
	Seen int64
}

// KeyRecord is what an idempotency key finds.
type KeyRecord struct {
	Key                 event.Key
	RequestHash, Result []byte
	// Stream, Version and Position are those of the command's last event.
	Stream            string
	Version, Position int64
}

// Snapshot is the state of an aggregate as of an event, as bytes.
type Snapshot struct {
	Stream  string
	Version int64
	// EventID is the id of the event at Version. A snapshot that names another
	// event than the stream holds is of another history, and is not used.
	EventID string
	// Schema is the version of the state's own shape.
	Schema int
	Data   []byte
}

// Errors by which an engine tells the Store what it may do next.
var (
	// ErrNotWritten: every commit that is not reported as Written is certainly
	// not in the store on account of this call, and will not get there by it.
	// Any other error from Append leaves that open.
	ErrNotWritten = errors.New("not written")
	// ErrKeyNotFound: nothing was committed under the key.
	ErrKeyNotFound = errors.New("idempotency key not found")
	// ErrNoSnapshot: there is no snapshot of the stream.
	ErrNoSnapshot = errors.New("no snapshot")
)
