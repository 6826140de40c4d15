// Package eventstore is the append-only store of events: the one place where
// something becomes true. Commits come in, with the version that each expects
// of its stream; receipts and, to readers, envelopes come out.
//
// The caller holds a Store, which is the same for every technology; below it
// lies an Engine. Everything that can be said once is said in Store: checks of
// what comes in, the append pipeline with its group commit, and the watch over
// gaps in what is read.
//
//	store.go     Store, its settings
//	read.go      the events of a stream or of the store, in pages read ahead
//	pipeline.go  how commits become durable, one group at a time
//	group.go     which commits go together, and what a failed one takes with it
//	room.go      … and which can
//	pending.go   a commit on its way
//	engine.go    the contract that a technology implements
//	queue.go     the commits that wait
//	pace.go      a moment's wait for callers who come back
//	sharing.go   what is known of other processes that append
//	head.go      the last durable position, and waiting for the next
//	clock.go     this process's clock held to the store's
//	watch.go     being told of events that other processes wrote
//	errors.go    what a caller can be told
//	archive.go   what engines offer to write a store to a file and to put it back
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"passbook/es/event"
)

// Store is an event store on an engine. Commits are accepted as soon as it is
// made and become durable while Run runs. Safe for concurrent use.
type Store struct {
	engine   Engine
	sharing  Sharing // nil where nobody else appends
	features Features
	config   Config
	history  string
	queue    queue
	head     head
	clock    clock
	stats    counters
	// down: the last group was given up as not written. Only Run looks at it.
	down bool
}

// Config has the settings of a Store; the zero value of a member stands for
// its default.
type Config struct {
	// GroupEvents and GroupBytes limit what is written at once. Defaults: 500
	// events, 256 KiB of payload. The engine's own limits, where lower, win.
	GroupEvents, GroupBytes int
	// QueueMax is how many commits may wait; one more is refused with
	// ErrOverloaded. Default 16384.
	QueueMax int
	// AttemptTimeout is the deadline of one attempt at writing a group, apart
	// from the callers' own. Default 10 s.
	AttemptTimeout time.Duration
	// UnavailableAfter is for how long a group that is certainly not written is
	// tried again before its callers are told ErrUnavailable. Default 2 s.
	UnavailableAfter time.Duration
	// DrainTimeout is how long Run goes on, once told to stop, with what was
	// accepted before. Default 5 s.
	DrainTimeout time.Duration
	// PollInterval is how often Await looks for events that other processes
	// wrote, where there can be any, whether or not a Watcher has called.
	// Default 50 ms.
	PollInterval time.Duration
	// Logger gets a line when the engine is lost and when it is back. Default:
	// slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults(f Features) Config {
	c.GroupEvents = atMost(or(c.GroupEvents, 500), f.GroupEvents)
	c.GroupBytes = atMost(or(c.GroupBytes, 256<<10), f.GroupBytes)
	c.QueueMax = or(c.QueueMax, 16384)
	c.AttemptTimeout = or(c.AttemptTimeout, 10*time.Second)
	c.UnavailableAfter = or(c.UnavailableAfter, 2*time.Second)
	c.DrainTimeout = or(c.DrainTimeout, 5*time.Second)
	c.PollInterval = or(c.PollInterval, 50*time.Millisecond)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

func atMost(value, limit int) int {
	if limit > 0 {
		return min(value, limit)
	}
	return value
}

// New returns a Store on engine. It reads the history id and the head, so the
// engine has to be reachable.
func New(ctx context.Context, engine Engine, config Config) (*Store, error) {
	history, err := engine.History(ctx)
	if err != nil {
		return nil, fmt.Errorf("open event store: read history id: %w", err)
	}
	position, err := engine.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("open event store: read head: %w", err)
	}
	s := &Store{engine: engine, features: engine.Features(), history: history}
	s.sharing, _ = engine.(Sharing)
	s.config = config.withDefaults(s.features)
	s.queue.init(s.config.QueueMax)
	s.head.init(position)
	if of, has := engine.(Clock); has {
		if err := s.clock.look(ctx, of); err != nil {
			return nil, fmt.Errorf("open event store: read its clock: %w", err)
		}
	}
	return s, nil
}

// History returns the store's history id.
func (s *Store) History() string { return s.history }

// SharedWriters tells whether other processes may be appending too.
func (s *Store) SharedWriters() bool { return s.features.SharedWriters }

// Head returns the position of the last durable event, 0 in an empty store.
func (s *Store) Head(ctx context.Context) (int64, error) {
	position, err := s.engine.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("read head: %w", err)
	}
	return position, nil
}

// StreamVersion returns the version of a stream's last durable event, or
// event.NoVersion.
func (s *Store) StreamVersion(ctx context.Context, stream string) (int64, error) {
	version, err := s.engine.StreamVersion(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("stream %s: read version: %w", stream, err)
	}
	return version, nil
}

// FindKey returns what was committed under an idempotency key, or
// ErrKeyNotFound.
func (s *Store) FindKey(ctx context.Context, key event.Key) (KeyRecord, error) {
	record, err := s.engine.FindKey(ctx, key)
	if err != nil && !errors.Is(err, ErrKeyNotFound) {
		return KeyRecord{}, fmt.Errorf("find idempotency key: %w", err)
	}
	return record, err
}

// SaveSnapshot keeps a snapshot in place of the stream's earlier one. It is
// the caller's part to take it from durable state only.
func (s *Store) SaveSnapshot(ctx context.Context, snapshot Snapshot) error {
	if err := s.engine.SaveSnapshot(ctx, snapshot); err != nil {
		return fmt.Errorf("stream %s: save snapshot: %w", snapshot.Stream, err)
	}
	return nil
}

// LoadSnapshot returns the stream's snapshot, or ErrNoSnapshot.
func (s *Store) LoadSnapshot(ctx context.Context, stream string) (Snapshot, error) {
	snapshot, err := s.engine.LoadSnapshot(ctx, stream)
	if err != nil && !errors.Is(err, ErrNoSnapshot) {
		return Snapshot{}, fmt.Errorf("stream %s: load snapshot: %w", stream, err)
	}
	return snapshot, err
}
