package checkpointtest

import (
	"math"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

func progressCases() []Case {
	return []Case{
		{Name: "none at first", run: progressNone},
		{Name: "comes back as it was, by partition", run: progressComesBack},
		{Name: "is replaced whole", run: progressReplaced},
		{Name: "readers are apart", run: progressReadersAreApart},
		{Name: "is kept when the lease changes hands", run: progressKept},
		{Name: "an older fence changes nothing", run: progressFenced},
		{Name: "may go back", run: progressGoesBack},
		{Name: "outlives the store's closing", reopens: true, run: progressReopened},
	}
}

func progressNone(s *scene) {
	require.Empty(s, s.load(reader))
	s.acquire("a", long)
	require.Empty(s, s.load(reader))
}

func progressComesBack(s *scene) {
	a := s.acquire("a", long)
	odd := checkpoint.Progress{
		History: "h'\"\\ü", Topic: "t;--", Partition: 12, First: 3, Next: math.MaxInt64,
		EventID: "\u65e5\u672c", Position: math.MaxInt64 - 1, Confirmed: math.MaxInt64,
	}
	empty := checkpoint.Progress{History: "h", Topic: "t", Partition: 2}
	s.save(a, odd, at(7, 70), empty)
	require.Equal(s, []checkpoint.Progress{empty, at(7, 70), odd}, s.load(reader))
}

func progressReplaced(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1), at(1, 1), at(2, 1))
	s.save(a, at(1, 5))
	require.Equal(s, []checkpoint.Progress{at(1, 5)}, s.load(reader))
	s.save(a)
	require.Empty(s, s.load(reader))
}

func progressReadersAreApart(s *scene) {
	a := s.acquire("a", long)
	other, err := s.store.Acquire(s.ctx, "other", "a", long)
	require.NoError(s, err)
	s.save(a, at(0, 1), at(1, 1))
	s.save(other, at(0, 9))
	s.save(a, at(1, 2))
	require.Equal(s, []checkpoint.Progress{at(1, 2)}, s.load(reader))
	require.Equal(s, []checkpoint.Progress{at(0, 9)}, s.load("other"))
}

func progressKept(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1), at(1, 1))
	s.release(a)
	require.Len(s, s.load(reader), 2)
	s.acquire("b", long)
	require.Equal(s, []checkpoint.Progress{at(0, 1), at(1, 1)}, s.load(reader))
}

func progressFenced(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1))
	b := s.acquire("a", long) // a paused program's successor may go by its name
	s.lost(a)
	s.save(b, at(0, 2), at(1, 2))
	s.lost(a)
	require.Equal(s, []checkpoint.Progress{at(0, 2), at(1, 2)}, s.load(reader))
}

// progressGoesBack: a topic that was made again is published from position one.
func progressGoesBack(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 100))
	s.save(a, at(0, 3))
	require.Equal(s, []checkpoint.Progress{at(0, 3)}, s.load(reader))
}

func progressReopened(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1), at(1, 1))
	s.reopen()
	require.Equal(s, []checkpoint.Progress{at(0, 1), at(1, 1)}, s.load(reader))
	s.save(a, at(0, 2))
	s.reopen()
	require.Equal(s, []checkpoint.Progress{at(0, 2)}, s.load(reader))
}
