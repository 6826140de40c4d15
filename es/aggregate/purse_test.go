package aggregate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// The aggregate of these tests: a purse that must not become empty.
type (
	put   struct{ Coins int }
	taken struct{ Coins int }
	purse struct{ Coins int }
)

var errTooFew = errors.New("too few coins")

func evolve(p purse, payload any) purse {
	switch e := payload.(type) {
	case put:
		p.Coins += e.Coins
	case taken:
		p.Coins -= e.Coins
	}
	return p
}

func putIn(coins int) func(purse) ([]any, error) {
	return func(purse) ([]any, error) { return []any{put{coins}}, nil }
}

func takeOut(coins int) func(purse) ([]any, error) {
	return func(p purse) ([]any, error) {
		if p.Coins < coins {
			return nil, errTooFew
		}
		return []any{taken{coins}}, nil
	}
}

func definition(t testing.TB) aggregate.Definition[purse] {
	t.Helper()
	codec, err := event.NewCodec(event.Define[put]("purse.put", 1), event.Define[taken]("purse.taken", 1))
	require.NoError(t, err)
	return aggregate.Definition[purse]{Category: "purse", Codec: codec, Evolve: evolve, SnapshotSchema: 1}
}

// engine is a memory store that a test can hold up, break and share.
type engine struct {
	eventstore.Engine
	shared bool

	mu     sync.Mutex
	append func(next eventstore.Engine, ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error)
	reads  int
}

func newEngine() *engine { return &engine{Engine: memory.NewEventStore()} }

func (e *engine) Features() eventstore.Features { return eventstore.Features{SharedWriters: e.shared} }

// share makes it an engine of several processes, and returns what the others see.
func (e *engine) share() eventstore.Engine {
	e.shared = true
	return e.Engine
}

// onAppend puts something in the way of every following append.
func (e *engine) onAppend(f func(next eventstore.Engine, ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.append = f
}

func (e *engine) Append(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
	e.mu.Lock()
	f := e.append
	e.mu.Unlock()
	if f == nil {
		return e.Engine.Append(ctx, first, group)
	}
	return f(e.Engine, ctx, first, group)
}

func (e *engine) ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
	page, err := e.Engine.ReadStream(ctx, stream, from, limit)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads += len(page)
	return page, err
}

// hold lets appends wait: entered tells of each that came, release lets all go.
func (e *engine) hold() (entered <-chan []eventstore.Commit, release func()) {
	came, open := make(chan []eventstore.Commit, 100), make(chan struct{})
	e.onAppend(func(next eventstore.Engine, ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
		came <- group
		<-open
		return next.Append(ctx, first, group)
	})
	return came, sync.OnceFunc(func() { close(open) })
}

// process is one process on an engine: a running store and its repository.
type process struct {
	store *eventstore.Store
	*aggregate.Repository[purse]
}

func start(t *testing.T, e eventstore.Engine, config aggregate.Config) *process {
	t.Helper()
	store, err := eventstore.New(t.Context(), e, eventstore.Config{UnavailableAfter: 1, DrainTimeout: time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return &process{store: store, Repository: aggregate.NewRepository(store, definition(t), config)}
}

type result struct {
	aggregate.Outcome
	err error
}

// begin executes in the background.
func (p *process) begin(ctx context.Context, request aggregate.Request[purse]) <-chan result {
	done := make(chan result, 1)
	go func() {
		outcome, err := p.Execute(ctx, request)
		done <- result{outcome, err}
	}()
	return done
}

func (p *process) do(t *testing.T, decide func(purse) ([]any, error)) aggregate.Outcome {
	t.Helper()
	outcome, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: decide})
	require.NoError(t, err)
	return outcome
}

func (p *process) coins(t *testing.T) (coins int, version int64) {
	t.Helper()
	state, version, err := p.Load(t.Context(), "p", -1)
	require.NoError(t, err)
	return state.Coins, version
}

// decided signals when a decision has been asked for.
func decided(decide func(purse) ([]any, error)) (func(purse) ([]any, error), <-chan struct{}) {
	asked := make(chan struct{}, 100)
	return func(p purse) ([]any, error) {
		defer func() { asked <- struct{}{} }()
		return decide(p)
	}, asked
}
