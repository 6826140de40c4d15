package readmodel_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/bank/readmodel"
)

// has puts entries with these positions into the tables, and nothing else of
// which a position depends.
func (s *scene) has(positions ...int64) {
	s.tb.Helper()
	for _, position := range positions {
		insert := `INSERT INTO account_entry (account_id, version, event_id, time, kind, balance, position)
			VALUES ('a', ?, '', '', '', '', ?)`
		if s.dialect == readmodel.MySQL {
			insert = `INSERT INTO account_entry (account_id, version, event_id, time, kind, balance, position, decimals)
			VALUES ('a', ?, '', '2026-11-22', '', 0, ?, 2)`
		}
		_, err := s.db.Exec(insert, position, position)
		require.NoError(s.tb, err)
	}
}

// asideOf is a list of what was set aside.
func asideOf(positions []int64) readmodel.SetAside {
	return func(_ context.Context, after int64, limit int) (page []int64, err error) {
		for _, position := range positions {
			if position > after && len(page) < limit {
				page = append(page, position)
			}
		}
		return page, nil
	}
}

// Whatever is there and whatever was set aside, from wherever the look begins:
// everything up to the position was dealt with, and the next one was not.
func TestReachedPosition_AgreesWithCounting(t *testing.T) {
	onEngines(t, testReachedPositionAgreesWithCounting)
}

func testReachedPositionAgreesWithCounting(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := s.db.Exec(`DELETE FROM account_entry`)
		require.NoError(rt, err)
		known := map[int64]bool{}
		var aside []int64
		for position := range rapid.Int64Range(0, 40).Draw(rt, "events") {
			position++
			switch rapid.IntRange(0, 20).Draw(rt, "where") {
			case 0: // nowhere yet
				continue
			case 1, 2:
				aside = append(aside, position)
			case 3: // just taken up again
				aside = append(aside, position)
				s.has(position)
			default:
				s.has(position)
			}
			known[position] = true
		}
		want := int64(0)
		for known[want+1] {
			want++
		}
		after := rapid.Int64Range(0, want).Draw(rt, "after")
		got, err := s.reader.ReachedPosition(rt.Context(), after, asideOf(aside))
		require.NoError(rt, err)
		require.Equal(rt, want, got)
	})
}

// More than is counted at once, and more than is asked for at once.
func TestReachedPosition_OfMany(t *testing.T) {
	s := newScene(t)
	const events = 2*readmodel.PositionsMax + 10
	_, err := s.db.Exec(`INSERT INTO account_entry (account_id, version, event_id, time, kind, balance, position)
		WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 'a', i, '', '', '', '', i FROM n`, events)
	require.NoError(t, err)
	reached := func(after int64, aside ...int64) int64 {
		t.Helper()
		got, err := s.reader.ReachedPosition(t.Context(), after, asideOf(aside))
		require.NoError(t, err)
		return got
	}
	require.EqualValues(t, events, reached(0))
	require.EqualValues(t, events, reached(events))
	var beyond []int64
	for i := range int64(2*readmodel.AsideMax + 500) {
		beyond = append(beyond, events+i+1)
	}
	require.EqualValues(t, events+2*readmodel.AsideMax+500, reached(0, beyond...))
	require.EqualValues(t, events+readmodel.AsideMax+7, reached(0, slices.Delete(beyond, readmodel.AsideMax+7, readmodel.AsideMax+8)...))
	for _, c := range []struct{ missing, setAside int64 }{
		{events, events},
		{readmodel.PositionsMax + 1, events - 1},
		{readmodel.PositionsMax, readmodel.PositionsMax},
		{1, readmodel.PositionsMax - 1},
	} {
		_, err := s.db.Exec(`DELETE FROM account_entry WHERE position = ?`, c.missing)
		require.NoError(t, err)
		require.Equal(t, c.missing-1, reached(0))
		require.Equal(t, c.setAside, reached(0, c.missing), "up to what is missing behind it")
	}
}

// How far it came is told with an error, and known to be right.
func TestReachedPosition_Fails(t *testing.T) { onEngines(t, testReachedPositionFails) }

func testReachedPositionFails(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	s.has(1, 2, 3)
	errLost := errors.New("connection is lost")
	got, err := s.reader.ReachedPosition(t.Context(), 2, func(context.Context, int64, int) ([]int64, error) { return nil, errLost })
	require.ErrorIs(t, err, errLost)
	require.ErrorIs(t, err, readmodel.ErrUnavailable)
	require.EqualValues(t, 2, got)
	require.NoError(t, s.store.Close())
	got, err = s.reader.ReachedPosition(t.Context(), 2, nil)
	require.ErrorIs(t, err, readmodel.ErrUnavailable)
	require.EqualValues(t, 2, got)
}

// A transaction is told of after it is committed, to all who waited before.
func TestCommits(t *testing.T) { onEngines(t, testCommits) }

func testCommits(t *testing.T, newScene func(testing.TB) *scene) {
	s, commits := newScene(t), new(readmodel.Commits)
	store := commits.Watch(s.store)
	next := commits.Next()
	require.Equal(t, next, commits.Next())
	require.NoError(t, store.Update(t.Context(), func(tx *sql.Tx) error {
		require.False(t, isClosed(next))
		return s.model.Apply(t.Context(), tx, newHistory().events)
	}))
	require.True(t, isClosed(next))
	require.False(t, isClosed(commits.Next()))
	next = commits.Next()
	require.Error(t, store.Update(t.Context(), func(*sql.Tx) error { return errors.New("no") }))
	require.True(t, isClosed(next), "an outcome that is unknown may be a commit")
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
