package notify_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/es/projection"
)

// recover does what an operator's command does after a back-up was put back.
func (s *scene) recover(head int64) {
	s.tb.Helper()
	ctx := s.tb.Context()
	require.NoError(s.tb, s.store.Update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"checkpoint", "parked_stream", "parked_event"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE consumer = ?`, notify.Consumer); err != nil {
				return err
			}
		}
		return notify.Forget(ctx, tx, s.dialect, head)
	}))
}

func TestForget(t *testing.T) { onEngines(t, testForget) }

func testForget(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory().before()
	h.open("a", "+49 170 1") // 1
	s.record(newTopic("t1", h), named("log"))
	h.since()
	h.deposit("a", "1.00 EUR") // 2
	h.deposit("a", "2.00 EUR") // 3: the head of the back-up
	h.deposit("a", "3.00 EUR") // 4: will be lost
	h.open("lost")             // 5
	s.record(newTopic("t1", h), named("log"))
	sent := []string{"a/1 log", "a/2 log", "a/3 log", "lost/0 log"}
	require.Equal(t, sent, sorted(s.recorded()))
	_, err := s.db.Exec(`UPDATE notification SET state = 'sent' WHERE event_id IN ('a/1', 'lost/0')`)
	require.NoError(t, err)

	b := h.back(3)
	b.balances["a"] = money("103.00 EUR")
	s.recover(3)
	require.Equal(t, []string{"a/1|sent", "a/2|pending", "a/3|failed", "lost/0|sent"},
		s.rows(`SELECT event_id, state FROM notification ORDER BY event_id`), "what is lost is not told any more")
	require.Contains(t, s.rows(`SELECT error FROM notification WHERE event_id = 'a/3'`)[0], "lost")
	s.recover(3)

	b.deposit("a", "4.00 EUR")
	b.open("new")
	more := []notify.Channel{&fakeChannel{name: "log"}, &fakeChannel{name: "sms", address: phone}}
	s.record(newTopic("t2", b), more)
	require.Equal(t, []string{"a'/3 log", "a'/3 sms", "a/1 log", "a/2 log", "a/3 log", "lost/0 log", "new'/0 log"}, sorted(s.recorded()),
		"a channel that is new hears of nothing that the database knew")
	require.Equal(t, []string{"3|" + "a'/3"}, s.rows(`SELECT version, event_id FROM notify_account WHERE account_id = 'a'`))
	require.Empty(t, s.rows(`SELECT stream FROM parked_stream`))
}

// The database began behind what the back-up has: positions that it would have
// passed over are now those of news.
func TestForget_StartBehindTheHead(t *testing.T) { onEngines(t, testForgetStartBehindTheHead) }

func testForgetStartBehindTheHead(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory().before()
	h.open("a")
	h.open("b")
	h.open("c")
	s.record(newTopic("t1", h), named("log"))
	require.Equal(t, []string{"3"}, s.rows(`SELECT start_position FROM notify_state`))
	b := h.back(1)
	s.recover(1)
	b.since().open("new")
	s.record(newTopic("t2", b), named("log"))
	require.Equal(t, []string{"new'/0 log"}, s.recorded())
}

// Without it the projection stands still, and says why.
func TestForget_IsNeeded(t *testing.T) { onEngines(t, testForgetIsNeeded) }

func testForgetIsNeeded(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a")
	s.record(newTopic("t1", h), named("log"))
	service := s.service(newTopic("t2", h.back(1)), named("log"))
	require.ErrorIs(t, service.Run(t.Context()), projection.ErrOtherHistory)
	_, err := s.db.Exec(`DROP TABLE notify_event`)
	require.NoError(t, err)
	require.ErrorContains(t, s.store.Update(t.Context(), func(tx *sql.Tx) error {
		return notify.Forget(t.Context(), tx, s.dialect, 0)
	}), "forget the history")
}
