package replay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// told folds records of one restore, in the order given.
func told(records ...record) *entry {
	f := newRestores()
	for _, r := range append([]record{{Kind: kindRequested}}, records...) {
		r.ID, r.At = "r", time.Now()
		f.add(r, time.Now())
	}
	return f.find("r")
}

// TestFold_LateRecords: what a publisher or builder says that was paused for long
// does not take back what others have said since.
func TestFold_LateRecords(t *testing.T) {
	t.Parallel()
	replay := func(id string) *topic { return &topic{ID: id} }
	e := told(
		record{Kind: kindPublished, Fence: 2, Total: 9, Replay: replay("two")},
		record{Kind: kindPublishing, Fence: 1, Total: 5},
		record{Kind: kindPublished, Fence: 1, Total: 5, Replay: replay("one")},
	)
	require.Equal(t, "two", e.published.Replay.ID)
	require.EqualValues(t, 9, e.Total)
	require.Equal(t, StepPublished, e.Step)

	e = told(
		record{Kind: kindPublished, Fence: 1, Total: 9, Replay: replay("one")},
		record{Kind: kindBuilding, Fence: 4, Step: StepReplaying, Events: 7, Line: "b"},
		record{Kind: kindBuilding, Fence: 3, Step: StepSwapping, Events: 2, Line: "a"},
	)
	require.Equal(t, StepReplaying, e.Step)
	require.EqualValues(t, 7, e.Events)
	require.Equal(t, "b", e.line)
}

// TestFold_DoneStands: queries are answered from the new line, whatever else is
// said.
func TestFold_DoneStands(t *testing.T) {
	t.Parallel()
	done := record{Kind: kindDone, Events: 9, Line: "a"}
	for _, records := range [][]record{
		{done, {Kind: kindFailed, Error: "late"}},
		{{Kind: kindFailed, Error: "too early"}, done},
		{done, {Kind: kindBuilding, Fence: 9, Step: StepReplaying, Events: 1, Line: "b"}},
		{done, {Kind: kindPublishing, Fence: 9, Total: 1}},
	} {
		e := told(records...)
		require.Equal(t, StateDone, e.State)
		require.Empty(t, e.Error)
		require.Empty(t, e.Step)
		require.EqualValues(t, 9, e.Events)
		require.Equal(t, "a", e.line)
	}
	failed := told(record{Kind: kindFailed, Error: "why"}, record{Kind: kindBuilding, Step: StepReplaying, Events: 3})
	require.Equal(t, StateFailed, failed.State)
	require.Equal(t, "why", failed.Error)
	require.Empty(t, failed.Step)
}

// TestFold_Unknown: what is told of a restore that nobody asked for, or that was
// forgotten, is not one.
func TestFold_Unknown(t *testing.T) {
	t.Parallel()
	f := newRestores()
	f.add(record{Kind: kindBuilding, ID: "r", Step: StepReplaying}, time.Now())
	require.Nil(t, f.find("r"))
	require.Nil(t, f.active())
}
