package eventstore_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TestOverdraftByLostPredecessor: an account stands at version 7. W1, a
// withdrawal decided on 7, loses to another process that writes version 8. W2
// was decided on top of W1 and expects 8: by its number it fits behind the
// other's 8, but the money that it counts with is gone. Version 9 may not be
// written.
func TestOverdraftByLostPredecessor(t *testing.T) {
	t.Parallel()
	type race struct {
		engine *engine
		store  *eventstore.Store
		gate   gate
		w1, w2 eventstore.Commit
	}
	run := func(name string, story func(t *testing.T, r race)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				e.features.SharedWriters = true
				e.elsewhere(opening("account", 8))
				r := race{engine: e, gate: newGate(e), w1: commit("account", 7, 1), w2: commit("account", 8, 1)}
				r.store = start(t, e, eventstore.Config{})
				story(t, r)
				require.Equal(t, int64(8), e.version("account"), "only the other's version 8")
				requireAbsent(t, e, r.w1)
				requireAbsent(t, e, r.w2)
			})
		})
	}
	theirs := func() eventstore.Commit { return commit("account", 7, 1) }

	sameGroup := func(linked bool) func(t *testing.T, r race) {
		return func(t *testing.T, r race) {
			other := submit(t, r.store, opening("other", 1), nil)
			<-r.gate.arrived // so that what comes now is there when the place turns out to be taken
			w1 := submit(t, r.store, r.w1, nil)
			var after *eventstore.Pending
			if linked {
				after = w1
			}
			w2 := submit(t, r.store, r.w2, after)
			r.engine.elsewhere(theirs())
			r.gate.open <- struct{}{}
			r.gate.pass() // the same at another place, and with it what has come
			requireWritten(t, other, 0, 10)
			requireFailed(t, w1, eventstore.ErrConflict)
			requireFailed(t, w2, eventstore.ErrPredecessorLost)
			require.Equal(t, []string{"other", "account", "account"}, r.engine.groups[1])
		}
	}
	run("in the same group", sameGroup(true))
	run("in the same group without a link", sameGroup(false))
	run("queued behind", func(t *testing.T, r race) {
		w1 := submit(t, r.store, r.w1, nil)
		<-r.gate.arrived
		r.engine.elsewhere(theirs())
		w2 := submit(t, r.store, r.w2, w1)
		r.gate.open <- struct{}{}
		r.gate.pass() // the place was taken; now at the next
		requireFailed(t, w1, eventstore.ErrConflict)
		requireFailed(t, w2, eventstore.ErrPredecessorLost)
	})
	run("queued behind without a link", func(t *testing.T, r race) {
		w1 := submit(t, r.store, r.w1, nil)
		<-r.gate.arrived
		r.engine.elsewhere(theirs())
		w2 := submit(t, r.store, r.w2, nil)
		r.gate.open <- struct{}{}
		r.gate.pass()
		requireFailed(t, w1, eventstore.ErrConflict)
		requireFailed(t, w2, eventstore.ErrPredecessorLost)
	})
	run("submitted after the failure was known", func(t *testing.T, r race) {
		r.engine.elsewhere(theirs())
		w1 := submit(t, r.store, r.w1, nil)
		r.gate.pass()
		r.gate.pass()
		requireFailed(t, w1, eventstore.ErrConflict)
		w2 := submit(t, r.store, r.w2, w1)
		synctest.Wait()
		requireFailed(t, w2, eventstore.ErrPredecessorLost)
	})
	run("behind one that was lost itself", func(t *testing.T, r race) {
		r.engine.elsewhere(theirs())
		w1 := submit(t, r.store, r.w1, nil)
		r.gate.pass()
		r.gate.pass()
		requireFailed(t, w1, eventstore.ErrConflict)
		w2 := submit(t, r.store, commit("account", 8, 1), w1)
		w3 := submit(t, r.store, r.w2, w2) // expects what fits, decided on what is lost
		synctest.Wait()
		requireFailed(t, w2, eventstore.ErrPredecessorLost)
		requireFailed(t, w3, eventstore.ErrPredecessorLost)
	})
	run("to another stream", func(t *testing.T, r race) {
		// A transfer's second half is decided on its first, in another stream.
		r.engine.elsewhere(theirs())
		w1 := submit(t, r.store, r.w1, nil)
		r.gate.pass()
		r.gate.pass()
		requireFailed(t, w1, eventstore.ErrConflict)
		half := opening("elsewhere", 1)
		p := submit(t, r.store, half, w1)
		synctest.Wait()
		requireFailed(t, p, eventstore.ErrPredecessorLost)
		requireAbsent(t, r.engine, half)
	})
}

// TestLostPredecessorOfAnotherStream: the link holds across streams, also where
// both are in hand at the same time.
func TestLostPredecessorOfAnotherStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{})
		submit(t, store, opening("other", 1), nil)
		<-g.arrived
		w1 := submit(t, store, commit("account", 7, 1), nil)
		half, quarter, free := opening("half", 1), opening("quarter", 1), opening("free", 1)
		w2 := submit(t, store, half, w1)
		w3 := submit(t, store, quarter, w2)
		w4 := submit(t, store, free, nil)
		g.open <- struct{}{}
		g.pass() // these four
		g.pass() // what is left of them
		requireFailed(t, w1, eventstore.ErrConflict)
		requireFailed(t, w2, eventstore.ErrPredecessorLost)
		requireFailed(t, w3, eventstore.ErrPredecessorLost)
		requireWritten(t, w4, 0, 2)
		requireAbsent(t, e, half)
		requireAbsent(t, e, quarter)
		require.Equal(t, []string{"account", "half", "quarter", "free"}, e.groups[1])
	})
}

// TestDecidedAgain: who was told is free to go on.
func TestDecidedAgain(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.features.SharedWriters = true
	e.elsewhere(opening("account", 8))
	store := start(t, e, eventstore.Config{})
	e.elsewhere(commit("account", 7, 1))
	_, err := store.Append(t.Context(), commit("account", 7, 1))
	var conflict *eventstore.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, eventstore.ConflictError{Stream: "account", Expected: 7, Actual: 8}, *conflict)
	require.EqualError(t, err, "stream account: version conflict: expected 7, actual 8")
	receipt, err := store.Append(t.Context(), commit("account", 8, 2))
	require.NoError(t, err)
	require.Equal(t, eventstore.Receipt{Version: 10, Position: 11}, receipt)
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(11), head)
}
