package eventstoretest

import (
	"strconv"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// An attempt that ended in doubt is handed in again. What arrived the first
// time is not written twice, and is told with the place where it stands.
func resendCases() []Case {
	return []Case{
		{Name: "group that arrived whole", run: resentWhole},
		{Name: "group that arrived in part", run: resentPart},
		{Name: "after others have written", run: resentLate},
		{Name: "at another position", run: resentElsewhere},
		{Name: "with a key is not refused by its own key", run: resentKey},
		{Name: "commits without events before one that arrived", run: resentChecks},
		{Name: "behind a new commit", run: resentBehind},
		{Name: "refused commit stays refused", run: resentRefused},
	}
}

// requireAt checks that commits are written, and where their first events are.
func requireAt(s *scene, outcomes []eventstore.Outcome, positions ...int64) {
	s.Helper()
	for i, position := range positions {
		want := eventstore.Outcome{State: eventstore.Written, Position: position}
		require.Equal(s, want, outcomes[i], "commit %d", i)
	}
}

func mixedGroup() []eventstore.Commit {
	return []eventstore.Commit{opening("a", 1), opening("b", 3), commit("a", 0, 2), opening("c", 1)}
}

func resentWhole(s *scene) {
	s.write(opening("x", 2))
	group := mixedGroup()
	s.write(group...)
	want := s.all()
	for range 3 {
		requireAt(s, s.append(3, group...), 3, 4, 7, 9)
		requireSame(s, want, s.all())
	}
	s.write(commit("a", 2, 1))
}

func resentPart(s *scene) {
	s.write(opening("x", 2))
	group := mixedGroup()
	for arrived := 1; arrived < len(group); arrived++ {
		stored := s.write(group[arrived-1])
		outcomes := s.append(3, group[:arrived+1]...)
		requireAt(s, outcomes, []int64{3, 4, 7, 9}[:arrived]...)
		require.Equal(s, stored[0].Position, outcomes[arrived-1].Position)
		require.Contains(s, []eventstore.State{eventstore.Written, eventstore.NotTried}, outcomes[arrived].State)
		if outcomes[arrived].State == eventstore.Written {
			return // an engine may go on behind what arrived; once is enough to see that it stays sound
		}
	}
	s.appendAll(group)
	requireAt(s, s.append(3, group...), 3, 4, 7, 9)
}

func resentLate(s *scene) {
	group := mixedGroup()
	s.write(group[:2]...)
	s.write(opening("other", 1), commit("b", 2, 2)) // takes the place that the third was to get
	want := s.all()
	outcomes := s.append(1, group...)
	requireAt(s, outcomes, 1, 2)
	require.Equal(s, eventstore.NotTried, outcomes[2].State, "%+v", outcomes[2])
	requireSame(s, want, s.all())
	want = append(want, s.write(group[2:]...)...)
	requireAt(s, s.append(1, group...), 1, 2, 8, 10)
	requireSame(s, want, s.all())
}

// resentElsewhere: a Store that has seen its place taken numbers again. It can
// not see that it was itself who took it.
func resentElsewhere(s *scene) {
	group := mixedGroup()
	s.write(group...)
	want := s.all()
	for _, first := range []int64{8, 9, 20} {
		requireAt(s, s.append(first, group...), 1, 2, 5, 7)
		requireSame(s, want, s.all())
	}
	for i, position := range []int64{1, 2, 5, 7} {
		requireAt(s, s.append(8, group[i]), position)
	}
	requireAt(s, s.append(8, group[2:]...), 5, 7)
	requireSame(s, want, s.all())
}

func resentKey(s *scene) {
	group := []eventstore.Commit{keyed(opening("a", 2), "me", "k1"), keyed(opening("b", 1), "me", "k2")}
	s.write(group...)
	for _, first := range []int64{1, 4} {
		requireAt(s, s.append(first, group...), 1, 3)
	}
	require.Equal(s, record(group[0], 2), s.key(group[0].Key))
	s.write(commit("a", 1, 1))
	requireAt(s, s.append(1, group...), 1, 3)
}

// resentChecks: a check that held when the group arrived may not hold any
// more. It was answered then, and may not come between.
func resentChecks(s *scene) {
	s.write(opening("x", 1))
	group := []eventstore.Commit{
		commit("x", 0, 0), opening("a", 1), commit("none", event.NoVersion, 0), opening("b", 1),
	}
	s.write(group...)
	s.write(commit("x", 0, 1), opening("none", 1))
	want := s.all()
	for _, first := range []int64{2, 6} {
		requireAt(s, s.append(first, group...), 0, 2, 0, 3)
	}
	requireSame(s, want, s.all())
}

// resentBehind: who submits a commit twice has it follow on others, also on one
// that is refused. It is neither a conflict nor a rejected id, though the answer
// may have to wait until it is at the front.
func resentBehind(s *scene) {
	again := keyed(opening("a", 2), "me", "k")
	s.write(again)
	for i, before := range []eventstore.Commit{opening("new", 1), commit("a", 7, 1)} {
		outcomes := s.append(s.head()+1, before, again, opening(strconv.Itoa(i), 1))
		if outcomes[1].State == eventstore.NotTried {
			outcomes = s.append(s.head()+1, again, again)
		}
		require.Equal(s, eventstore.Outcome{State: eventstore.Written, Position: 1}, outcomes[1])
	}
}

func resentRefused(s *scene) {
	s.write(opening("a", 1), keyed(opening("b", 1), "me", "k"))
	want := s.all()
	for range 3 {
		requireConflict(s, s.append(3, commit("a", 1, 1), opening("c", 1))[0], 0)
		requireTaken(s, s.append(3, keyed(opening("d", 1), "me", "k"))[0], s.key(event.Key{Client: "me", Value: "k"}))
	}
	requireSame(s, want, s.all())
}
