package eventstoretest

import (
	"errors"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

func reopenCases() []Case {
	return []Case{
		{Name: "history id stays", reopens: true, run: historyStays},
		{Name: "events stay", reopens: true, run: eventsStay},
		{Name: "keys stay", reopens: true, run: keysStay},
		{Name: "snapshot stays or is gone", reopens: true, run: snapshotStays},
		{Name: "group that arrived before is known", reopens: true, run: resentAfterReopen},
	}
}

func historyStays(s *scene) {
	before, err := s.engine.History(s.ctx)
	require.NoError(s, err)
	for _, stream := range []string{"a", "b"} {
		s.reopen()
		after, err := s.engine.History(s.ctx)
		require.NoError(s, err)
		require.Equal(s, before, after)
		s.write(opening(stream, 1))
	}
}

func eventsStay(s *scene) {
	want := s.write(mixedGroup()...)
	for version := range int64(3) {
		s.reopen()
		requireSame(s, want, s.all())
		want = append(want, s.write(commit("b", 2+version, 1))...)
		requireConflict(s, s.refused(commit("b", 2+version, 1)), 3+version)
	}
}

func keysStay(s *scene) {
	holder := keyed(opening("a", 2), "me", "k")
	s.write(holder)
	s.reopen()
	require.Equal(s, record(holder, 2), s.key(holder.Key))
	requireTaken(s, s.refused(keyed(opening("b", 1), "me", "k")), record(holder, 2))
	s.write(keyed(opening("b", 1), "you", "k"))
}

// snapshotStays: it need not be durable, but may not come back changed.
func snapshotStays(s *scene) {
	events := s.write(opening("a", 2))
	snapshot := snapshotOf(events[1], `{"balance": 1}`)
	s.save(snapshot)
	s.reopen()
	_, err := s.engine.LoadSnapshot(s.ctx, "a")
	if errors.Is(err, eventstore.ErrNoSnapshot) {
		return
	}
	s.requireSnapshot(snapshot)
}

func resentAfterReopen(s *scene) {
	group := mixedGroup()
	s.write(group...)
	s.reopen()
	requireAt(s, s.append(1, group...), 1, 2, 5, 7)
	requireAt(s, s.append(8, group...), 1, 2, 5, 7)
	require.Equal(s, int64(7), s.head())
}
