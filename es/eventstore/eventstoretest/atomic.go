package eventstoretest

import (
	"context"
	"errors"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func atomicCases() []Case {
	return []Case{
		{Name: "commit with a used event id in the middle is rejected whole", run: usedIDInTheMiddle},
		{Name: "commit with the same event id twice is rejected whole", run: sameIDTwice},
		{Name: "event id of another commit of the group is rejected", run: sameIDInGroup},
		{Name: "event id of another stream is rejected", run: idOfAnotherStream},
		{Name: "event id of another version is rejected", run: idOfAnotherVersion},
		{Name: "cancelled before", run: cancelledBefore},
		{Name: "cancelled in the middle", run: cancelledInTheMiddle},
	}
}

func requireRejected(s *scene, outcome eventstore.Outcome) {
	s.Helper()
	require.Equal(s, eventstore.Rejected, outcome.State, "%+v", outcome)
	require.NotEmpty(s, outcome.Reason, "a rejection says why")
}

// rejectedInGroup hands in a good commit, the bad one, and another good one:
// only the first may be there afterwards.
func rejectedInGroup(s *scene, bad eventstore.Commit) {
	s.Helper()
	bad = keyed(bad, "me", "key of the rejected one")
	want := s.all()
	before, behind := opening("before", 2), opening("behind", 1)
	outcomes := s.append(s.head()+1, before, bad, behind)
	require.Equal(s, eventstore.Written, outcomes[0].State, "%+v", outcomes[0])
	want = append(want, placed(before, int64(len(want)+1))...)
	requireRejected(s, outcomes[1])
	requireSame(s, want, s.all())
	s.noKey(bad.Key)
	requireRejected(s, s.refused(bad))
	s.write(behind)
}

func usedIDInTheMiddle(s *scene) {
	used := s.write(opening("a", 1))[0].ID
	bad := opening("bad", 4)
	bad.Events[2].ID = used
	rejectedInGroup(s, bad)
}

func sameIDTwice(s *scene) {
	bad := opening("bad", 3)
	bad.Events[2].ID = bad.Events[0].ID
	rejectedInGroup(s, bad)
}

func sameIDInGroup(s *scene) {
	good, bad := opening("good", 2), opening("bad", 2)
	bad.Events[1].ID = good.Events[1].ID
	outcomes := s.append(1, good, bad)
	require.Equal(s, eventstore.Written, outcomes[0].State)
	requireRejected(s, outcomes[1])
	requireSame(s, placed(good, 1), s.all())
}

// idOfAnotherStream: the first event's id is how a commit that arrived earlier
// is known, but not the id alone.
func idOfAnotherStream(s *scene) {
	used := s.write(opening("a", 1))[0].ID
	bad := opening("bad", 2)
	bad.Events[0].ID = used
	rejectedInGroup(s, bad)
}

func idOfAnotherVersion(s *scene) {
	used := s.write(opening("a", 3))[1].ID
	bad := commit("a", 2, 1)
	bad.Events[0].ID = used
	rejectedInGroup(s, bad)
}

func cancelledBefore(s *scene) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	group := []eventstore.Commit{opening("a", 3), keyed(opening("b", 1), "me", "k")}
	outcomes, err := s.engine.Append(ctx, 1, group)
	s.settle(group, outcomes, err)
}

// cancelledInTheMiddle: whenever the deadline comes, what the answer says is
// so, and the group can be handed in again.
func cancelledInTheMiddle(s *scene) {
	for i := range int64(40) {
		ctx, cancel := context.WithCancel(s.ctx)
		group := []eventstore.Commit{
			commit("a", 50*i-1, 50), keyed(commit("b", i-1, 1), "me", event.NewID()), commit("c", 30*i-1, 30),
		}
		go cancel()
		outcomes, err := s.engine.Append(ctx, s.head()+1, group)
		s.settle(group, outcomes, err)
	}
}

// settle checks what an attempt says of itself, and then hands in the same
// group until all of it is written, as a Store does.
func (s *scene) settle(group []eventstore.Commit, outcomes []eventstore.Outcome, err error) {
	s.Helper()
	if err != nil && len(outcomes) == 0 {
		outcomes = make([]eventstore.Outcome, len(group))
	}
	require.Len(s, outcomes, len(group))
	certain := err == nil || errors.Is(err, eventstore.ErrNotWritten)
	for i, c := range group {
		if outcomes[i].State == eventstore.Written {
			require.GreaterOrEqual(s, s.version(c.Stream), c.Expected+int64(len(c.Events)), "commit %d is written", i)
		} else if certain {
			require.Equal(s, c.Expected, s.version(c.Stream), "commit %d is not written", i)
		}
	}
	s.appendAll(group)
	for _, c := range group {
		requireSameEvents(s, c)
	}
}

// attemptsMax is how often the same group is handed in. Two are enough where
// nobody else writes.
const attemptsMax = 10

// appendAll hands in what is left of a group until all of it is written.
func (s *scene) appendAll(group []eventstore.Commit) {
	s.Helper()
	for range attemptsMax {
		var open []eventstore.Commit
		for i, outcome := range s.append(s.head()+1, group...) {
			if outcome.State != eventstore.Written {
				require.Equal(s, eventstore.NotTried, outcome.State, "commit %d: %+v", i, outcome)
				open = append(open, group[i])
			}
		}
		if group = open; len(group) == 0 {
			return
		}
	}
	require.Empty(s, group, "commits that are never written")
}

// requireSameEvents checks that a commit's events stand once, in a row, at
// their versions.
func requireSameEvents(s *scene, c eventstore.Commit) {
	s.Helper()
	events, err := s.engine.ReadStream(s.ctx, c.Stream, c.Expected+1, len(c.Events))
	require.NoError(s, err)
	require.NotEmpty(s, events, "stream %q from version %d", c.Stream, c.Expected+1)
	requireSame(s, placed(c, events[0].Position), events)
}
