package notify_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/es/event"
	"passbook/es/projection"
)

func TestModel_Records(t *testing.T) { onEngines(t, testModelRecords) }

func testModelRecords(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "+49 170 1", "a@example.com")
	h.open("b")
	h.deposit("a", "12.50 EUR")
	h.withdraw("a", "0.50 EUR")
	h.close("a")
	s.record(newTopic("t1", h), []notify.Channel{&fakeChannel{name: "log"}, &fakeChannel{name: "sms", address: phone}})
	require.ElementsMatch(t, []string{
		"a/0 log", "a/0 sms", "b/0 log", "a/1 log", "a/1 sms", "a/2 log", "a/2 sms", "a/3 log", "a/3 sms",
	}, s.recorded(), "b has no phone")
	require.Equal(t, []string{"+49 170 1"}, s.rows(`SELECT DISTINCT address FROM notification WHERE channel = 'sms'`),
		"later events go where the opening said")
	require.Equal(t, []string{"OPENED|a", "DEPOSITED|a", "WITHDRAWN|a", "CLOSED|a"},
		s.rows(`SELECT kind, account_id FROM notification WHERE channel = 'sms' ORDER BY seq`), "in order")

	var texts []string
	for _, row := range s.rows(`SELECT message FROM notification WHERE channel = 'sms' ORDER BY seq`) {
		var m notify.Message
		require.NoError(t, json.Unmarshal([]byte(row), &m))
		require.Equal(t, "Jörg Müller", m.Holder)
		texts = append(texts, m.Text())
	}
	require.Equal(t, []string{
		"Your account a was opened with a balance of 100.00 EUR.",
		"12.50 EUR was deposited into your account a; the balance is now 112.50 EUR.",
		"0.50 EUR was withdrawn from your account a; the balance is now 112.00 EUR.",
		"Your account a was closed; its last balance was 112.00 EUR.",
	}, texts)
}

// A topic that was made again repeats everything; and so does a bus at any time.
func TestModel_RecordsOnce(t *testing.T) { onEngines(t, testModelRecordsOnce) }

func testModelRecordsOnce(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	channels := named("log", "other")
	first := newTopic("t1", h)
	first.publish(h.events...)
	s.record(first, channels)
	want := s.recorded()
	require.Len(t, want, 4)
	h.deposit("a", "1.00 EUR")
	s.record(newTopic("t2", h), append(channels, named("new")...))
	require.Equal(t, append(want, "a/2 log", "a/2 other", "a/2 new"), s.recorded(),
		"a channel that is new hears of what is new")
	require.Empty(t, s.rows(`SELECT stream FROM parked_stream`))
}

func TestModel_ImportedNotifyNobody(t *testing.T) { onEngines(t, testModelImportedNotifyNobody) }

func testModelImportedNotifyNobody(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.imported = true
	h.open("a", "+49 170 1")
	h.deposit("a", "1.00 EUR")
	h.imported = false
	h.deposit("a", "2.00 EUR")
	s.record(newTopic("t1", h), []notify.Channel{&fakeChannel{name: "sms", address: phone}})
	require.Equal(t, []string{"a/2 sms"}, s.recorded())
}

func TestModel_Parks(t *testing.T) { onEngines(t, testModelParks) }

func testModelParks(t *testing.T, newScene func(testing.TB) *scene) {
	for name, add := range map[string]func(h *history) event.Envelope{
		"UnknownType":   func(h *history) event.Envelope { return h.add("a", "passbook.account.frozen", struct{}{}) },
		"Malformed":     func(h *history) event.Envelope { return h.add("a", "passbook.account.deposited", 7) },
		"UnknownSchema": func(h *history) event.Envelope { return h.add("a", "passbook.account.deposited", struct{}{}) },
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newScene(t), newHistory()
			h.open("a")
			h.open("b")
			add(h)
			if name == "UnknownSchema" {
				h.events[2].Type.Schema = 2
			}
			h.deposit("a", "1.00 EUR")
			h.deposit("b", "1.00 EUR")
			s.record(newTopic("t1", h), named("log"))
			require.ElementsMatch(t, []string{"a/0 log", "b/0 log", "b/1 log"}, s.recorded())
			require.Equal(t, []string{"a|unapplicable|1"}, s.rows(`SELECT stream, reason, version FROM parked_stream`))
		})
	}
}

// After a discard, what comes does not start right behind the head.
func TestModel_TakesWhatSkips(t *testing.T) { onEngines(t, testModelTakesWhatSkips) }

func testModelTakesWhatSkips(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "+49 170 1")
	h.deposit("a", "1.00 EUR")
	h.deposit("a", "2.00 EUR")
	h.close("a")
	channels := []notify.Channel{&fakeChannel{name: "sms", address: phone}}
	s.record(newTopic("t1", newHistory()), channels)
	apply := func(events ...event.Envelope) error { return notify.Apply(s.store, s.dialect, channels, events...) }
	require.NoError(t, apply(h.events[0]))
	require.NoError(t, apply(h.events[2], h.events[3]))
	require.Equal(t, []string{"a/0 sms", "a/2 sms", "a/3 sms"}, s.recorded())
	require.ErrorContains(t, apply(h.events[1]), "another version than expected", "what was skipped does not come back")

	b := newHistory()
	b.open("b", "+49 170 2")
	b.deposit("b", "1.00 EUR")
	require.NoError(t, apply(b.events[1]), "without an opening nobody can be reached")
	require.Len(t, s.recorded(), 3)
}

func TestNotificationID(t *testing.T) {
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, notify.NotificationID("e", "log"))
	require.Equal(t, "3d5f6e52", notify.NotificationID("e", "log")[:8], "it never changes")
	require.NotEqual(t, notify.NotificationID("e", "log"), notify.NotificationID("e", "sms"))
	require.NotEqual(t, notify.NotificationID("e", "log"), notify.NotificationID("f", "log"))
}

func TestMigrate(t *testing.T) {
	s := newScene(t)
	before := s.rows(`SELECT start_us, start_position FROM notify_state`)
	require.NoError(t, notify.Migrate(t.Context(), s.db, notify.SQLite))
	require.Equal(t, before, s.rows(`SELECT start_us, start_position FROM notify_state`), "again is nothing")
	_, err := s.db.Exec(`INSERT INTO notify_schema (version_id, is_applied) VALUES (99, 1)`)
	require.NoError(t, err)
	require.EqualError(t, notify.Migrate(t.Context(), s.db, notify.SQLite),
		"tables of the notifications: they have version 99, and this program knows up to 1: use a newer one")
	require.ErrorContains(t, notify.Migrate(t.Context(), s.db, "oracle"), `"oracle"`)
	_, err = notify.NewReader(s.store, "oracle")
	require.ErrorContains(t, err, `"oracle"`)
}

var _ projection.Feed = (*memoryBus)(nil)
