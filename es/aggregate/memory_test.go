package aggregate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

func TestRepository_Snapshots(t *testing.T) {
	t.Parallel()

	// A stream of 25 events with a snapshot at version 19.
	filled := func(t *testing.T) *engine {
		t.Helper()
		e := newEngine()
		p := start(t, e, aggregate.Config{SnapshotEvery: 10})
		for range 25 {
			p.do(t, putIn(1))
		}
		snapshot, err := e.LoadSnapshot(t.Context(), "p")
		require.NoError(t, err)
		require.Equal(t, int64(19), snapshot.Version)
		require.JSONEq(t, `{"Coins":20}`, string(snapshot.Data))
		e.reads = 0
		return e
	}
	takesAll := func(t *testing.T, e *engine) {
		t.Helper()
		p := start(t, e, aggregate.Config{})
		p.do(t, takeOut(25))
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(1)})
		require.ErrorIs(t, err, errTooFew)
	}
	change := func(t *testing.T, e *engine, f func(*eventstore.Snapshot)) {
		t.Helper()
		snapshot, err := e.LoadSnapshot(t.Context(), "p")
		require.NoError(t, err)
		f(&snapshot)
		require.NoError(t, e.SaveSnapshot(t.Context(), snapshot))
	}

	t.Run("Used", func(t *testing.T) {
		t.Parallel()
		e := filled(t)
		takesAll(t, e)
		require.Less(t, e.reads, 25, "the whole stream was read all the same")
	})
	t.Run("OfAnotherShape", func(t *testing.T) {
		t.Parallel()
		e := filled(t)
		change(t, e, func(s *eventstore.Snapshot) { s.Schema, s.Data = 2, []byte(`{"Coins":7000}`) })
		takesAll(t, e)
	})
	t.Run("OfAnotherHistory", func(t *testing.T) {
		t.Parallel()
		e := filled(t)
		change(t, e, func(s *eventstore.Snapshot) { s.EventID, s.Data = event.NewID(), []byte(`{"Coins":7000}`) })
		takesAll(t, e)
	})
	t.Run("AheadOfTheEvents", func(t *testing.T) {
		t.Parallel()
		e := filled(t)
		change(t, e, func(s *eventstore.Snapshot) { s.Version, s.Data = 99, []byte(`{"Coins":7000}`) })
		takesAll(t, e)
	})
	t.Run("Unreadable", func(t *testing.T) {
		t.Parallel()
		e := filled(t)
		change(t, e, func(s *eventstore.Snapshot) { s.Data = []byte(`{`) })
		takesAll(t, e)
	})
}

// Whatever is dropped from memory comes back from the store.
func TestRepository_SmallCache(t *testing.T) {
	t.Parallel()
	p := start(t, newEngine(), aggregate.Config{CacheMax: 2})
	for round := range 3 {
		for i := range 5 {
			stream := fmt.Sprintf("p%d", i)
			outcome, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: stream, Decide: putIn(1)})
			require.NoError(t, err)
			require.Equal(t, int64(round), outcome.Version)
		}
	}
	for i := range 5 {
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: fmt.Sprintf("p%d", i), Decide: takeOut(3)})
		require.NoError(t, err)
	}
}
