package eventstore_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// inOneGroup submits commits so that they are written as one group, behind one
// that goes before. It returns the engine, and what is pending.
func inOneGroup(t *testing.T, e *engine, group ...eventstore.Commit) []*eventstore.Pending {
	t.Helper()
	g := newFirstGate(e)
	store := start(t, e, eventstore.Config{})
	submit(t, store, opening("before", 1), nil)
	<-g.arrived
	var pending []*eventstore.Pending
	for _, c := range group {
		pending = append(pending, submit(t, store, c, nil))
	}
	g.open <- struct{}{}
	return pending
}

// TestConflictHurtsItsStreamOnly: the others of the group are written, at the
// places that become free.
func TestConflictHurtsItsStreamOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.elsewhere(opening("a", 3), keyed(opening("holder", 1), "taken"))
		bad := opening("bad", 2)
		bad.Events[1].ID = bad.Events[0].ID
		p := inOneGroup(t, e,
			opening("good1", 2), commit("a", 1, 1), opening("good2", 1), opening("a", 1),
			keyed(opening("late", 1), "taken"), opening("good3", 1), bad, opening("good4", 2), commit("a", 2, 0))
		requireWritten(t, p[0], 1, 7)
		requireFailed(t, p[1], eventstore.ErrConflict)
		requireWritten(t, p[2], 0, 8)
		_, err := wait(p[3])
		require.Error(t, err, "it conflicts, or is swept out with the one before")
		requireFailed(t, p[4], eventstore.ErrKeyTaken)
		requireWritten(t, p[5], 0, 9)
		requireFailed(t, p[6], eventstore.ErrInvalid)
		requireWritten(t, p[7], 1, 11)
	})
}

func TestKeyTakenTellsTheHolder(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	holder := keyed(opening("a", 2), "k")
	_, err := store.Append(t.Context(), holder)
	require.NoError(t, err)
	_, err = store.Append(t.Context(), keyed(opening("b", 1), "k"))
	var taken *eventstore.KeyTakenError
	require.ErrorAs(t, err, &taken)
	want := eventstore.KeyRecord{Key: holder.Key, Result: holder.Result, Stream: "a", Version: 1, Position: 2}
	require.Equal(t, want, taken.Prior)
	require.ErrorContains(t, err, "stream a at version 1")
	record, err := store.FindKey(t.Context(), holder.Key)
	require.NoError(t, err)
	require.Equal(t, want, record)
}

// TestSameKeyTwiceAtOnce: two callers with one key. The later one gets what the
// first has committed.
func TestSameKeyTwiceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		p := inOneGroup(t, e, keyed(opening("a", 1), "k"), keyed(opening("b", 1), "k"), opening("c", 1))
		requireWritten(t, p[0], 0, 2)
		requireFailed(t, p[1], eventstore.ErrKeyTaken)
		requireWritten(t, p[2], 0, 3)
	})
}

func TestVersionCheck(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	e.elsewhere(opening("a", 3))
	receipt, err := store.Append(t.Context(), commit("a", 2, 0))
	require.NoError(t, err)
	require.Equal(t, eventstore.Receipt{Version: 2}, receipt)
	_, err = store.Append(t.Context(), commit("a", 1, 0))
	require.ErrorIs(t, err, eventstore.ErrConflict)
	require.Equal(t, int64(3), e.top())
}

// TestPlaceTakenAgainAndAgain: other processes are always faster. That belongs
// to the group, and no caller hears of it.
func TestPlaceTakenAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.features.SharedWriters = true
		left := 20
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			if left--; left >= 0 {
				e.elsewhere(opening(event.NewID(), 1))
			}
			return e.EventStore.Append(ctx, first, group)
		}
		p := inOneGroup(t, e, opening("a", 1), opening("b", 2))
		requireWritten(t, p[0], 0, 22)
		requireWritten(t, p[1], 1, 24)
	})
}

// TestNumbersOfTheStore: the caller's numbers do not count.
func TestNumbersOfTheStore(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	c := opening("a", 2)
	for i := range c.Events {
		c.Events[i].Stream, c.Events[i].Version, c.Events[i].Position = "other", 7, 7
	}
	_, err := store.Append(t.Context(), c)
	require.NoError(t, err)
	stored, err := e.EventStore.ReadStream(t.Context(), "a", 0, 10)
	require.NoError(t, err)
	require.Len(t, stored, 2)
	for i, got := range stored {
		require.Equal(t, "a", got.Stream)
		require.Equal(t, int64(i), got.Version)
		require.Equal(t, int64(i+1), got.Position)
	}
	require.Equal(t, int64(7), c.Events[0].Version, "the caller's events were changed")
}

func TestBrokenEngine(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(e *engine, first int64, group commits) (outcomes, error){
		"wrote behind a refused commit": func(e *engine, first int64, group commits) (outcomes, error) {
			out, _ := e.EventStore.Append(context.Background(), first, group[1:])
			return append(outcomes{{State: eventstore.Conflict}}, out...), nil
		},
		"wrote behind one that it did not try": func(e *engine, first int64, group commits) (outcomes, error) {
			out, _ := e.EventStore.Append(context.Background(), first, group[1:])
			return append(outcomes{{}}, out...), errLost
		},
		"answered too little": func(_ *engine, _ int64, group commits) (outcomes, error) {
			return make(outcomes, len(group)-1), nil
		},
		"answered nothing": func(*engine, int64, commits) (outcomes, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				e.onAppend = func(_ context.Context, first int64, group commits) (outcomes, error) {
					return answer(e, first, group)
				}
				store, err := eventstore.New(t.Context(), e, eventstore.Config{GroupEvents: 2, Logger: quiet()})
				require.NoError(t, err)
				a, b := submit(t, store, opening("a", 1), nil), submit(t, store, opening("b", 1), nil)
				waiting := submit(t, store, opening("c", 1), nil)
				require.ErrorContains(t, store.Run(t.Context()), "engine broke its contract")
				requireFailed(t, a, eventstore.ErrOutcomeUnknown)
				requireFailed(t, b, eventstore.ErrOutcomeUnknown)
				requireFailed(t, waiting, eventstore.ErrUnavailable)
				_, err = store.Submit(opening("d", 1), nil)
				require.ErrorIs(t, err, eventstore.ErrUnavailable)
			})
		})
	}
}
