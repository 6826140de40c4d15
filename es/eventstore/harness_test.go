package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
)

type (
	commits  = []eventstore.Commit
	outcomes = []eventstore.Outcome
)

var errLost = errors.New("connection lost")

// notWritten is how an engine says that an attempt certainly failed.
func notWritten() error { return fmt.Errorf("%w: %w", eventstore.ErrNotWritten, errLost) }

// engine is the one in memory with functions in the place of methods; nil
// leaves the method as it is. Whatever a test does to it, one group is in
// flight at a time.
type engine struct {
	*memory.EventStore
	t        *testing.T
	features eventstore.Features
	onAppend func(ctx context.Context, first int64, group commits) (outcomes, error)
	onHead   func(ctx context.Context) (int64, error)

	groups   [][]string // the streams of each group, in the order of attempts
	inFlight atomic.Int32
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	return &engine{EventStore: memory.NewEventStore(), t: t}
}

func (e *engine) Features() eventstore.Features { return e.features }

func (e *engine) Append(ctx context.Context, first int64, group commits) (outcomes, error) {
	if e.inFlight.Add(1) > 1 {
		e.t.Error("two groups are in flight")
	}
	defer e.inFlight.Add(-1)
	var streams []string
	for _, c := range group {
		streams = append(streams, c.Stream)
	}
	e.groups = append(e.groups, streams)
	if e.onAppend == nil {
		return e.EventStore.Append(ctx, first, group)
	}
	return e.onAppend(ctx, first, group)
}

func (e *engine) Head(ctx context.Context) (int64, error) {
	if e.onHead == nil {
		return e.EventStore.Head(ctx)
	}
	return e.onHead(ctx)
}

// elsewhere writes as another process does.
func (e *engine) elsewhere(group ...eventstore.Commit) {
	out, _ := e.EventStore.Append(context.Background(), e.top()+1, group)
	for i := range out {
		if out[i].State != eventstore.Written {
			e.t.Errorf("another process could not write: %+v", out[i])
		}
	}
}

func (e *engine) top() int64 {
	position, _ := e.EventStore.Head(context.Background())
	return position
}

func (e *engine) version(stream string) int64 {
	version, _ := e.EventStore.StreamVersion(context.Background(), stream)
	return version
}

// gate holds an engine's Append: each call says on arrived that it is there,
// and waits until it may go on.
type gate struct{ arrived, open chan struct{} }

func newGate(e *engine) gate {
	g := gate{arrived: make(chan struct{}), open: make(chan struct{})}
	inner := e.onAppend
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		g.arrived <- struct{}{}
		<-g.open
		if inner != nil {
			return inner(ctx, first, group)
		}
		return e.EventStore.Append(ctx, first, group)
	}
	return g
}

// newFirstGate holds the first call only.
func newFirstGate(e *engine) gate {
	inner := e.onAppend
	g := newGate(e)
	held := e.onAppend
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		e.onAppend = inner
		return held(ctx, first, group)
	}
	return g
}

// pass lets one call through, once it is there.
func (g gate) pass() {
	<-g.arrived
	g.open <- struct{}{}
}

// start returns a running store that is stopped with the test, and has to stop
// well.
func start(t *testing.T, e eventstore.Engine, config eventstore.Config) *eventstore.Store {
	t.Helper()
	store, stop := startStop(t, e, config)
	t.Cleanup(func() { require.NoError(t, stop()) })
	return store
}

// startStop returns a running store, and what stops it and returns Run's error.
func startStop(t *testing.T, e eventstore.Engine, config eventstore.Config) (*eventstore.Store, func() error) {
	t.Helper()
	if config.Logger == nil {
		config.Logger = quiet()
	}
	store, err := eventstore.New(t.Context(), e, config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	return store, func() error {
		cancel()
		return <-ran
	}
}

// elapse lets the clock of a synctest bubble run on.
func elapse(d time.Duration) { <-time.After(d) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// together starts a store on which commits wait already: they are one
// group.
func together(t *testing.T, e *engine, group ...eventstore.Commit) (pending []*eventstore.Pending, stop func() error) {
	t.Helper()
	store, err := eventstore.New(t.Context(), e, eventstore.Config{Logger: quiet()})
	require.NoError(t, err)
	for _, c := range group {
		pending = append(pending, submit(t, store, c, nil))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- store.Run(ctx) }()
	return pending, func() error {
		cancel()
		return <-ran
	}
}

func happened(stream string) event.Envelope {
	return event.Envelope{
		ID: event.NewID(), Stream: stream, Category: "test",
		Type: event.Type{Name: "test.thing.happened", Schema: 1},
		Time: event.Truncate(time.Now()), Data: []byte(`{}`),
	}
}

// commit returns a commit of n events, with versions: as engines get it.
func commit(stream string, expected int64, n int) eventstore.Commit {
	c := eventstore.Commit{Stream: stream, Expected: expected}
	for i := range n {
		e := happened(stream)
		e.Version = expected + 1 + int64(i)
		c.Events = append(c.Events, e)
	}
	return c
}

func opening(stream string, n int) eventstore.Commit { return commit(stream, event.NoVersion, n) }

func keyed(c eventstore.Commit, value string) eventstore.Commit {
	c.Key, c.Result = event.Key{Client: "me", Value: value}, []byte("result of "+value)
	return c
}

func submit(t *testing.T, store *eventstore.Store, c eventstore.Commit, after *eventstore.Pending) *eventstore.Pending {
	t.Helper()
	p, err := store.Submit(c, after)
	require.NoError(t, err)
	return p
}

func wait(p *eventstore.Pending) (eventstore.Receipt, error) { return p.Wait(context.Background()) }

func requireWritten(t *testing.T, p *eventstore.Pending, version, position int64) {
	t.Helper()
	receipt, err := wait(p)
	require.NoError(t, err)
	require.Equal(t, eventstore.Receipt{Version: version, Position: position}, receipt)
}

func requireFailed(t *testing.T, p *eventstore.Pending, want error) {
	t.Helper()
	_, err := wait(p)
	require.ErrorIs(t, err, want)
}

func settled(p *eventstore.Pending) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

// requireOnce checks that a commit's events stand in the store once, in a row,
// where its receipt says.
func requireOnce(t *testing.T, e *engine, c eventstore.Commit, receipt eventstore.Receipt) {
	t.Helper()
	all, err := e.EventStore.ReadAll(context.Background(), 0, 1<<30)
	require.NoError(t, err)
	n := int64(len(c.Events))
	for i, want := range c.Events {
		found := 0
		for _, stored := range all {
			if stored.ID != want.ID {
				continue
			}
			found++
			require.Equal(t, receipt.Position-n+1+int64(i), stored.Position)
			require.Equal(t, receipt.Version-n+1+int64(i), stored.Version)
			require.Equal(t, c.Stream, stored.Stream)
		}
		require.Equal(t, 1, found, "copies of event %d of the commit to %s", i, c.Stream)
	}
}

// requireAbsent checks that nothing of a commit is in the store.
func requireAbsent(t *testing.T, e *engine, c eventstore.Commit) {
	t.Helper()
	all, err := e.EventStore.ReadAll(context.Background(), 0, 1<<30)
	require.NoError(t, err)
	for _, stored := range all {
		for _, refused := range c.Events {
			require.NotEqual(t, refused.ID, stored.ID, "an event of the commit to %s is in the store", c.Stream)
		}
	}
}
