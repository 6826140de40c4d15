package mongodb_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// added appends commits where nobody is in the way.
func added(t *testing.T, s eventstore.Engine, first int64, group ...eventstore.Commit) {
	t.Helper()
	outcomes, err := s.Append(t.Context(), first, group)
	require.NoError(t, err)
	for _, o := range outcomes {
		require.Equal(t, eventstore.Written, o.State)
	}
}

// Who has lost a race has read what has won: how far the store is, which commits
// of its group are refused, and what their streams hold now. None of that is asked
// for again; a context that has ended proves it.
func TestRivals(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	mine, theirs := r.open(t), r.open(t)
	added(t, mine, 1, opening("a", 1), opening("b", 1))
	rival, more := commit("a", 0, 1), commit("a", 1, 1)
	added(t, theirs, 3, rival, opening("c", 1), more)

	group := []eventstore.Commit{commit("b", 0, 1), commit("a", 0, 1), commit("b", 1, 1)}
	outcomes, err := mine.Append(t.Context(), 3, group)
	require.NoError(t, err)
	require.Equal(t, []eventstore.Outcome{{Seen: 5}, {}, {}}, outcomes, "the place was taken")
	require.Equal(t, int64(2), mine.LeastVersion("a"))
	recent := mine.Recent("a", 1)
	require.Len(t, recent, 2)
	for i, want := range []event.Envelope{rival.Events[0], more.Events[0]} {
		want.Position = []int64{3, 5}[i]
		require.Equal(t, want, recent[i])
	}
	require.Empty(t, mine.Recent("a", 0), "that one is its own")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	outcomes, err = mine.Append(ended, 6, group[1:2])
	require.NoError(t, err)
	require.Equal(t, []eventstore.Outcome{{State: eventstore.Conflict, Actual: 2}}, outcomes)

	outcomes, err = mine.Append(t.Context(), 6, group)
	require.NoError(t, err)
	require.Equal(t, eventstore.Outcome{State: eventstore.Written, Position: 6}, outcomes[0])
	require.Equal(t, eventstore.Outcome{State: eventstore.Conflict, Actual: 2}, outcomes[1])
}

// Another's event in the place of a commit is none where it is the commit's own,
// that another engine has brought.
func TestRivals_NotOneself(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	mine, theirs := r.open(t), r.open(t)
	added(t, mine, 1, opening("a", 1))
	group := []eventstore.Commit{commit("a", 0, 1)}
	added(t, theirs, 2, group...)
	for range 2 { // finding it in its place, and at another
		outcomes, err := mine.Append(t.Context(), 2, group)
		require.NoError(t, err)
		require.Equal(t, []eventstore.Outcome{{State: eventstore.Written, Position: 2}}, outcomes)
	}
}

// A writer that wins every race hears of those who lose them, and only then pauses.
func TestPlea(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	winner, loser := r.open(t), r.open(t)
	position, version := int64(0), event.NoVersion
	win := func() {
		added(t, winner, position+1, commit("a", version, 1))
		position, version = position+1, version+1
	}
	leases := r.bare(t).Collection("eventStoreLease")
	win() // the first look: a plea that is there already may be an old one
	require.Zero(t, winner.Pause())
	for lost := range 4 {
		pleas, err := leases.CountDocuments(t.Context(), bson.D{})
		require.NoError(t, err)
		require.Zero(t, pleas, "one can lose a race, and has lost %d", lost)
		outcomes, err := loser.Append(t.Context(), position, []eventstore.Commit{opening("b", 1)})
		require.NoError(t, err)
		require.Equal(t, eventstore.NotTried, outcomes[0].State)
		win()
	}
	require.Eventually(t, func() bool { // it looks now and then only
		win()
		return winner.Pause() > 0
	}, time.Minute, time.Millisecond)
	require.Zero(t, loser.Pause(), "who has lost tries again at once")
}
