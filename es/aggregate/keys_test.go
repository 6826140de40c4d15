package aggregate_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

var key = event.Key{Client: "c", Value: "k"}

func keyed(decide func(purse) ([]any, error)) aggregate.Request[purse] {
	return aggregate.Request[purse]{
		Stream: "p", Decide: decide, Key: key, RequestHash: []byte("hash"),
		Result: func(p purse) []byte {
			data, err := json.Marshal(p)
			if err != nil {
				panic(err)
			}
			return data
		},
	}
}

func TestRepository_Key(t *testing.T) {
	t.Parallel()
	want := aggregate.Outcome{Stream: "p", Version: 0, Position: 1, Result: []byte(`{"Coins":5}`)}
	again := want
	again.Replayed = true

	t.Run("Replayed", func(t *testing.T) {
		t.Parallel()
		e := newEngine()
		p := start(t, e, aggregate.Config{})
		got, err := p.Execute(t.Context(), keyed(putIn(5)))
		require.NoError(t, err)
		require.Equal(t, want, got)
		p.do(t, putIn(1))
		stale := int64(-1) // the key is looked up before anything else is asked
		request := keyed(func(purse) ([]any, error) { return nil, errors.New("decided twice") })
		request.Expected = &stale
		for _, p := range []*process{p, start(t, e, aggregate.Config{})} { // and after a restart
			got, err = p.Execute(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, again, got)
		}
		coins, _ := p.coins(t)
		require.Equal(t, 6, coins)
	})

	t.Run("ReusedForAnotherRequest", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		_, err := p.Execute(t.Context(), keyed(putIn(5)))
		require.NoError(t, err)
		other := keyed(putIn(7))
		other.RequestHash = []byte("other")
		_, err = p.Execute(t.Context(), other)
		require.ErrorIs(t, err, aggregate.ErrKeyReused)
		other.Key.Client = "d" // the same text of another client is another key
		_, err = p.Execute(t.Context(), other)
		require.NoError(t, err)
	})

	t.Run("RefusalIsNotRemembered", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		_, err := p.Execute(t.Context(), keyed(takeOut(5)))
		require.ErrorIs(t, err, errTooFew)
		p.do(t, putIn(5))
		outcome, err := p.Execute(t.Context(), keyed(takeOut(5)))
		require.NoError(t, err)
		require.False(t, outcome.Replayed)
	})

	t.Run("DecisionPanics", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		require.Panics(t, func() {
			_, _ = p.Execute(t.Context(), keyed(func(purse) ([]any, error) { panic("a fault in the domain") }))
		})
		_, err := p.Execute(t.Context(), keyed(putIn(5)))
		require.NoError(t, err, "the key is free again, and so is the aggregate")
	})

	t.Run("ManyAtOnce", func(t *testing.T) {
		t.Parallel()
		e := newEngine()
		e.shared = true
		processes := []*process{start(t, e, aggregate.Config{}), start(t, e, aggregate.Config{})}
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				_, err := processes[i%2].Execute(t.Context(), keyed(putIn(5)))
				if err != nil && !errors.Is(err, aggregate.ErrKeyInFlight) {
					t.Errorf("unexpected: %v", err)
				}
			})
		}
		wg.Wait()
		coins, _ := processes[0].coins(t)
		require.Equal(t, 5, coins)
	})
}

// While the fate of a first try is open, a second one is told to wait; then it
// gets the first one's outcome.
func TestRepository_KeyInFlight(t *testing.T) {
	t.Parallel()
	e := newEngine()
	p := start(t, e, aggregate.Config{})
	entered, release := e.hold()
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	first := p.begin(ctx, keyed(putIn(5)))
	<-entered
	_, err := p.Execute(t.Context(), keyed(putIn(5)))
	require.ErrorIs(t, err, aggregate.ErrKeyInFlight)
	cancel()
	require.ErrorIs(t, (<-first).err, eventstore.ErrOutcomeUnknown)
	_, err = p.Execute(t.Context(), keyed(putIn(5)))
	require.ErrorIs(t, err, aggregate.ErrKeyInFlight, "its first try may still arrive")

	release()
	require.NoError(t, p.store.Await(t.Context(), 0))
	p.do(t, putIn(0)) // behind it in the queue, so it is settled
	outcome, err := p.Execute(t.Context(), keyed(putIn(5)))
	require.NoError(t, err)
	require.True(t, outcome.Replayed)
	coins, _ := p.coins(t)
	require.Equal(t, 5, coins)
}

// The other process carries a request out while this one is at the same: the
// loser returns the winner's outcome, also where the winner's effect would make
// it a refusal.
func TestRepository_KeyRaceBetweenProcesses(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(purse) ([]any, error){
		"RefusedByItsOwn": takeOut(10),
		"DecidedAgain":    putIn(5),
	} {
		race(t, name+"/KeyTaken", newEngine(), decide)
		race(t, name+"/Conflict", &versionFirst{engine: newEngine()}, decide)
	}
}

// versionFirst is an engine that finds the version taken before it looks at the
// key.
type versionFirst struct{ *engine }

func (e *versionFirst) Append(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
	outcomes, err := e.engine.Append(ctx, first, group)
	for i, o := range outcomes {
		actual, err := e.StreamVersion(ctx, group[i].Stream)
		if o.State == eventstore.KeyTaken && err == nil && actual != group[i].Expected {
			outcomes[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
		}
	}
	return outcomes, err
}

// race lets a request be carried out elsewhere while it is at the disk here.
func race(t *testing.T, name string, e interface {
	eventstore.Engine
	hold() (<-chan []eventstore.Commit, func())
	share() eventstore.Engine
}, decide func(purse) ([]any, error),
) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		here, there := start(t, e, aggregate.Config{}), start(t, e.share(), aggregate.Config{})
		here.do(t, putIn(10))
		entered, release := e.hold()
		defer release()
		mine := here.begin(t.Context(), keyed(decide)) // it has looked for the key, and found none
		<-entered
		theirs, err := there.Execute(t.Context(), keyed(decide))
		require.NoError(t, err)
		release()
		got := <-mine
		require.NoError(t, got.err)
		require.True(t, got.Replayed)
		require.Equal(t, theirs.Version, got.Version)
		_, version := here.coins(t)
		require.Equal(t, int64(1), version)
	})
}
