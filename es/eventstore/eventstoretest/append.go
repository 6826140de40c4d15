package eventstoretest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func appendCases() []Case {
	return []Case{
		{Name: "numbers run without a gap", run: numbersRun},
		{Name: "NoVersion means that the stream must not exist", run: noVersion},
		{Name: "lower expected version is refused", run: lowerExpected},
		{Name: "higher expected version is refused", run: higherExpected},
		{Name: "commits of one stream follow each other in a group", run: chain},
		{Name: "first must be the head plus one", run: firstFollowsHead},
		{Name: "nothing is written behind a refusal", run: nothingBehind},
		{Name: "commit without events asks for the version", run: versionCheck},
		{Name: "commit without events sees those before it", run: versionCheckInGroup},
		{Name: "refused commit without events holds back the rest", run: versionCheckHoldsBack},
		{Name: "refusals that are told are true", run: toldRefusals},
		{Name: "large group", run: largeGroup},
		{Name: "callers one after the other", run: callersInTurn},
	}
}

func numbersRun(s *scene) {
	require.Zero(s, s.head(), "head of an empty store")
	var want []event.Envelope
	for round := range int64(5) {
		want = append(want, s.write(
			commit("a", 2*round-1, 2), commit("b", round-1, 1), commit("c", 3*round-1, 3))...)
		// What is refused takes no number.
		s.refused(commit("b", round-1, 1))
	}
	requireSame(s, want, s.all())
	require.Equal(s, int64(30), s.head())
	require.Equal(s, int64(9), s.version("a"))
	require.Equal(s, int64(4), s.version("b"))
	require.Equal(s, int64(14), s.version("c"))
	require.Equal(s, event.NoVersion, s.version("d"), "version of a stream without events")
}

func noVersion(s *scene) {
	s.write(opening("a", 1))
	for _, n := range []int{1, 2} {
		requireConflict(s, s.refused(opening("a", n)), 0)
	}
	s.write(commit("a", 0, 4))
	requireConflict(s, s.refused(opening("a", 1)), 4)
}

func lowerExpected(s *scene) {
	s.write(opening("a", 3))
	for _, expected := range []int64{0, 1} {
		for _, n := range []int{1, 3} {
			requireConflict(s, s.refused(commit("a", expected, n)), 2)
		}
	}
}

// higherExpected is what a unique index on (stream, version) does not see.
func higherExpected(s *scene) {
	for _, expected := range []int64{0, 5} {
		requireConflict(s, s.refused(commit("a", expected, 1)), event.NoVersion)
	}
	s.write(opening("a", 3))
	for _, expected := range []int64{3, 7} {
		requireConflict(s, s.refused(commit("a", expected, 2)), 2)
	}
}

func requireConflict(s *scene, outcome eventstore.Outcome, actual int64) {
	s.Helper()
	require.Equal(s, eventstore.Conflict, outcome.State, "%+v", outcome)
	require.Equal(s, actual, outcome.Actual, "actual version")
}

func chain(s *scene) {
	want := s.write(opening("a", 1), opening("b", 1), commit("a", 0, 2), commit("a", 2, 1), commit("b", 0, 1))
	requireSame(s, want, s.all())
	outcomes := s.append(s.head()+1, commit("a", 3, 1), commit("a", 3, 1), commit("a", 4, 1))
	require.Equal(s, eventstore.Written, outcomes[0].State)
	requireConflict(s, outcomes[1], 4)
	require.Equal(s, eventstore.NotTried, outcomes[2].State, "the refusal before it does not make it wrong")
	require.Equal(s, int64(4), s.version("a"))
}

func firstFollowsHead(s *scene) {
	want := s.write(opening("a", 3))
	for _, first := range []int64{0, 1, 2, 3, 5, 6, 100} {
		outcomes := s.append(first, opening(fmt.Sprintf("b%d", first), 1), commit("a", 2, 1))
		require.Equal(s, eventstore.NotTried, outcomes[0].State, "first %d: %+v", first, outcomes[0])
		requireSame(s, want, s.all())
	}
	s.write(opening("b", 1))
}

func nothingBehind(s *scene) {
	want := s.write(opening("a", 1))
	late := commit("a", 3, 1)
	group := []eventstore.Commit{
		opening("b", 1), opening("c", 2), late, opening("d", 1), opening("e", 1), commit("b", 0, 1),
	}
	outcomes := s.append(s.head()+1, group...)
	requireConflict(s, outcomes[2], 0)
	want = append(want, placed(group[0], 2)...)
	want = append(want, placed(group[1], 3)...)
	requireSame(s, want, s.all())
	// Refused at the front: nothing at all.
	requireConflict(s, s.append(s.head()+1, late, opening("d", 1))[0], 0)
	requireSame(s, want, s.all())
	s.write(group[3], group[4])
}

func versionCheck(s *scene) {
	check := func(stream string, expected int64) eventstore.Outcome {
		return s.append(s.head()+1, commit(stream, expected, 0))[0]
	}
	require.Equal(s, eventstore.Written, check("a", event.NoVersion).State)
	requireConflict(s, check("a", 0), event.NoVersion)
	want := s.write(opening("a", 3))
	outcome := check("a", 2)
	require.Equal(s, eventstore.Written, outcome.State)
	require.Zero(s, outcome.Position, "position of a commit without events")
	for _, expected := range []int64{event.NoVersion, 0, 1, 3, 9} {
		requireConflict(s, check("a", expected), 2)
	}
	requireSame(s, want, s.all())
}

func versionCheckInGroup(s *scene) {
	want := s.write(commit("a", event.NoVersion, 0), opening("a", 2), commit("a", 1, 0), commit("a", 1, 1))
	requireSame(s, want, s.all())
	outcomes := s.append(s.head()+1, commit("a", 2, 1), commit("a", 2, 0))
	require.Equal(s, eventstore.Written, outcomes[0].State)
	requireConflict(s, outcomes[1], 3)
}

func versionCheckHoldsBack(s *scene) {
	want := s.write(opening("a", 1))
	outcomes := s.append(s.head()+1, commit("a", 5, 0), opening("b", 1))
	requireConflict(s, outcomes[0], 0)
	requireSame(s, want, s.all())
}

// toldRefusals: behind the commit at which it stopped, an engine may tell of
// refusals that it knows about. A wrong one would fail a good command.
func toldRefusals(s *scene) {
	s.write(opening("a", 1), keyed(opening("b", 1), "me", "used"))
	group := []eventstore.Commit{
		opening("good", 1),
		commit("a", 4, 1),                        // refused
		commit("good", 0, 1),                     // good: its own stream stands as expected
		commit("b", 0, 1),                        // good
		commit("a", 7, 1),                        // refused
		opening("a", 1),                          // refused
		keyed(commit("c", -1, 1), "you", "used"), // good: another client's key
		opening("good2", 2),                      // good
		commit("good2", 1, 1),                    // good, behind the one before
	}
	good := map[int]bool{0: true, 2: true, 3: true, 6: true, 7: true, 8: true}
	for i, outcome := range s.append(s.head()+1, group...) {
		switch {
		case i == 0:
			require.Equal(s, eventstore.Written, outcome.State)
		case good[i]:
			require.Equal(s, eventstore.NotTried, outcome.State, "commit %d: %+v", i, outcome)
		case i == 1 || outcome.State != eventstore.NotTried:
			requireConflict(s, outcome, 0)
		}
	}
	s.write(group[2], group[3], group[6], group[7], group[8])
}

func largeGroup(s *scene) {
	limit := s.engine.Features().GroupEvents
	if limit == 0 {
		limit = 500
	}
	group := []eventstore.Commit{opening("many", limit/2)}
	for i := range limit - limit/2 {
		group = append(group, opening(fmt.Sprintf("single%d", i), 1))
	}
	want := s.write(group...)
	// A single commit may be larger than the limit of a group.
	big := opening("big", 3)
	for i := range big.Events {
		big.Events[i].Data = []byte(`{"text":"` + strings.Repeat("x", 1<<20-20) + `"}`)
	}
	want = append(want, s.write(big)...)
	want = append(want, s.write(opening("most", 1000))...)
	requireSame(s, want, s.all())
}

// callersInTurn: Append has one caller at a time, but not always the same.
func callersInTurn(s *scene) {
	const callers, turns = 8, 10
	baton := make(chan int64, 1)
	baton <- 0
	errs := make(chan error, callers)
	for i := range callers {
		go func() {
			stream := fmt.Sprintf("caller%d", i)
			for turn := range int64(turns) {
				position := <-baton
				outcomes, err := s.engine.Append(s.ctx, position+1, []eventstore.Commit{commit(stream, turn-1, 1)})
				if err == nil && outcomes[0].State != eventstore.Written {
					err = fmt.Errorf("caller %d, turn %d: %+v", i, turn, outcomes[0])
				}
				baton <- position + 1
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		require.NoError(s, <-errs)
	}
	require.Equal(s, int64(callers*turns), s.head())
}
