package notify_test

import (
	"database/sql"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// inTransaction runs fn in a transaction of its own.
func (s *scene) inTransaction(fn func(tx *sql.Tx)) {
	s.tb.Helper()
	require.NoError(s.tb, s.store.Update(s.tb.Context(), func(tx *sql.Tx) error {
		fn(tx)
		return nil
	}))
}

// attempts claims what is due on channel c.
func (s *scene) attempts() (all []notify.Attempt) {
	s.tb.Helper()
	s.inTransaction(func(tx *sql.Tx) {
		var err error
		all, err = notify.Attempts(s.tb.Context(), tx, s.dialect, "c", "holder", 10)
		require.NoError(s.tb, err)
	})
	return all
}

// settle keeps outcomes, all in one transaction.
func (s *scene) settle(outcomes ...notify.Attempt) {
	s.tb.Helper()
	s.inTransaction(func(tx *sql.Tx) {
		require.NoError(s.tb, notify.Settle(s.tb.Context(), tx, s.dialect, "c", outcomes...))
	})
}

// recordedScene has notifications of accounts a, with two, and b, with one.
func recordedScene(t *testing.T, newScene func(testing.TB) *scene) *scene {
	t.Helper()
	s, h := newScene(t), newHistory()
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	h.open("a")
	h.open("b")
	h.deposit("a", "1.00 EUR")
	require.NoError(t, notify.Apply(s.store, s.dialect, named("c"), h.events...))
	return s
}

// A lane stays as long as there is something in it, and goes with the last.
func TestSettle_LanesGo(t *testing.T) {
	onEngines(t, func(t *testing.T, newScene func(testing.TB) *scene) {
		s := recordedScene(t, newScene)
		const lanes = `SELECT account_id, claim FROM notify_lane ORDER BY account_id`
		s.settle(s.attempts()...)
		require.Equal(t, []string{"a|"}, s.rows(lanes))
		s.settle(s.attempts()...)
		require.Empty(t, s.rows(lanes))
		require.Equal(t, []string{"sent|3|1"}, s.rows(`SELECT state, count(*), max(attempts) FROM notification GROUP BY state`))
	})
}

// What was pending may be gone when its lane is looked at: see Forget.
func TestClaim_EmptyLaneGoes(t *testing.T) {
	onEngines(t, func(t *testing.T, newScene func(testing.TB) *scene) {
		s := recordedScene(t, newScene)
		_, err := s.db.Exec(`UPDATE notification SET state = 'failed' WHERE account_id = 'a'`)
		require.NoError(t, err)
		require.Len(t, s.attempts(), 1)
		require.Equal(t, []string{"b"}, s.rows(`SELECT account_id FROM notify_lane`))
	})
}

// Two attempts at one notification come to an end at the same time, one of which
// has outlived its claim: that it was sent is what counts.
func TestSettle_TwoOfOne(t *testing.T) {
	onEngines(t, func(t *testing.T, newScene func(testing.TB) *scene) {
		for _, isFirst := range []bool{true, false} {
			s := recordedScene(t, newScene)
			sent := s.attempts()[0]
			_, err := s.db.Exec(`UPDATE notify_lane SET due_us = 0`)
			require.NoError(t, err)
			failed := s.attempts()[0]
			require.Equal(t, sent.ID(), failed.ID())
			both := []notify.Attempt{sent, failed.Failed(errors.New("connection reset"))}
			if !isFirst {
				slices.Reverse(both)
			}
			s.settle(both...)
			require.Equal(t, []string{"sent||2"}, s.rows(`SELECT state, error, attempts FROM notification WHERE id = ?`, sent.ID()))
		}
	})
}

// An account that somebody else has changed meanwhile is not written over.
func TestModel_AccountHasMovedOn(t *testing.T) {
	s, h := newScene(t), newHistory()
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	h.open("a")
	require.NoError(t, notify.Apply(s.store, s.dialect, named("c"), h.events...))
	_, err := s.db.Exec(`CREATE TRIGGER meanwhile AFTER INSERT ON notify_event
		BEGIN UPDATE notify_account SET version = 7 WHERE account_id = new.account_id; END`)
	require.NoError(t, err)
	h.deposit("a", "1.00 EUR")
	err = notify.Apply(s.store, s.dialect, named("c"), h.events[1:]...)
	require.ErrorContains(t, err, "account has another version than expected")
	require.Equal(t, []string{"a/0 c"}, s.recorded(), "nothing of it is kept")
}
