package readmodel_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/contract/account"
	"passbook/es/event"
	"passbook/es/projection"
)

const (
	accountsSQL = `SELECT id, account_holder, creation_date, account_type, balance, currency, status, version, event_id, position,
		updated_at, balance_units FROM bank_account ORDER BY id`
	entriesSQL = `SELECT account_id, version, event_id, time, kind, amount, balance, reference, position FROM account_entry
		ORDER BY account_id, version`
)

// The life of an account, as the tables show it to people.
func TestModel_Rows(t *testing.T) { onEngines(t, testModelRows) }

func testModelRows(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	require.NoError(t, s.apply(h.open("a", "Zoë Müller", money("50.00 EUR"))))
	require.Equal(t, []string{
		"a|Zoë Müller|2026-11-22T06:23:01.949000Z|0|50.00|EUR|OPEN|0|a/0|1|2026-11-22T06:23:01.949000Z|500000",
	}, s.rows(accountsSQL))

	require.NoError(t, s.apply(h.deposit("a", money("100.10 EUR")), h.withdraw("a", money("12.80 EUR"), "Rent, May")))
	require.NoError(t, s.apply(h.close("a")))
	require.Equal(t, []string{
		"a|Zoë Müller|2026-11-22T06:23:01.949000Z|0|137.30|EUR|CLOSED|3|a/3|4|2026-11-22T06:23:01.949003Z|1373000",
	}, s.rows(accountsSQL))
	require.Equal(t, []string{
		"a|0|a/0|2026-11-22T06:23:01.949000Z|OPENED|50.00|50.00|<nil>|1",
		"a|1|a/1|2026-11-22T06:23:01.949001Z|DEPOSITED|100.10|150.10|<nil>|2",
		"a|2|a/2|2026-11-22T06:23:01.949002Z|WITHDRAWN|12.80|137.30|Rent, May|3",
		"a|3|a/3|2026-11-22T06:23:01.949003Z|CLOSED|<nil>|137.30|<nil>|4",
	}, s.rows(entriesSQL))
	if s.dialect != readmodel.SQLite {
		return
	}
	millis := `SELECT CAST(1000 * unixepoch(creation_date, 'subsec') AS INTEGER) FROM bank_account`
	require.Equal(t, []string{"1795328581949"}, s.rows(millis), "SQLite's date functions read the times")
}

// Events of one account that are folded into one write leave what one write
// each would leave.
func TestModel_FoldsAsOneByOne(t *testing.T) { onEngines(t, testModelFoldsAsOneByOne) }

func testModelFoldsAsOneByOne(t *testing.T, newScene func(testing.TB) *scene) {
	h := newHistory()
	for i := range 3 {
		for _, id := range []string{"b", "a"} {
			if i == 0 {
				h.open(id, "Holder", money("1.00 EUR"))
			}
			h.deposit(id, money("0.50 EUR"))
		}
	}
	folded, single := newScene(t), newScene(t)
	require.NoError(t, folded.apply(h.events...))
	for _, e := range h.events {
		require.NoError(t, single.apply(e))
	}
	require.Len(t, single.rows(entriesSQL), len(h.events))
	require.Equal(t, single.rows(accountsSQL), folded.rows(accountsSQL))
	require.Equal(t, single.rows(entriesSQL), folded.rows(entriesSQL))
}

func TestModel_HeadsAndEventIDs(t *testing.T) { onEngines(t, testModelHeadsAndEventIDs) }

func testModelHeadsAndEventIDs(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	odd := `quote"back\slash'ü` // no account has such an id, and asking for it does no harm
	h.open("a", "A", money("1.00 EUR"))
	h.open("b", "B", money("1.00 EUR"))
	h.deposit("a", money("1.00 EUR"))
	require.NoError(t, s.apply(h.events...))
	err := s.store.View(t.Context(), func(tx *sql.Tx) error {
		heads, err := s.model.Heads(t.Context(), tx, []string{"a", "b", "c", odd})
		require.NoError(t, err)
		require.Equal(t, map[string]projection.Head{
			"a": {Version: 1, EventID: "a/1"}, "b": {Version: 0, EventID: "b/0"},
		}, heads)
		refs := []projection.Ref{{Stream: "a", Version: 0}, {Stream: "a", Version: 7}, {Stream: odd, Version: 0}, {Stream: "b"}}
		ids, err := s.model.EventIDs(t.Context(), tx, refs)
		require.NoError(t, err)
		require.Equal(t, map[projection.Ref]string{{Stream: "a", Version: 0}: "a/0", {Stream: "b", Version: 0}: "b/0"}, ids)
		return nil
	})
	require.NoError(t, err)
}

// unapplicable are events that come after an account was opened with 10.00 EUR,
// and what is said of them.
var unapplicable = map[string]struct {
	name    string
	payload any
	text    string
}{
	"BalanceDiffers": {
		account.DepositedName, account.Deposited{Amount: money("1.00 EUR"), Balance: money("11.01 EUR")},
		"balance in the event is 11.01 EUR, but the account's events add up to 11.00 EUR: " +
			"one of them was altered; compare them with the event store",
	},
	"BalanceDiffersAfterWithdrawal": {
		account.WithdrawnName, account.Withdrawn{Amount: money("1.00 EUR"), Balance: money("11.00 EUR")},
		"balance in the event is 11.00 EUR, but the account's events add up to 9.00 EUR: " +
			"one of them was altered; compare them with the event store",
	},
	"OtherCurrency": {
		account.DepositedName, account.Deposited{Amount: money("1.00 USD"), Balance: money("11.00 USD")}, "currencies differ",
	},
	"BeyondTheLimit": {
		account.DepositedName, account.Deposited{Amount: money("999999999999.99 EUR"), Balance: money("10.00 EUR")},
		"balance would pass the limit",
	},
	"OpenedAgain": {
		account.OpenedName, account.Opened{AccountHolder: "B", AccountType: account.Current, OpeningBalance: money("1.00 EUR")},
		"the account was opened by an event before it",
	},
	"UnknownType": {"passbook.account.frozen", struct{}{}, "unknown event type"},
	"NoPayload":   {account.DepositedName, "text", "malformed event payload"},
	"NoAmount":    {account.DepositedName, struct{}{}, "currencies differ"},
}

// What cannot be applied names its event, changes nothing, and does not keep the
// faults of other accounts from being told.
func TestModel_Unapplicable(t *testing.T) { onEngines(t, testModelUnapplicable) }

func testModelUnapplicable(t *testing.T, newScene func(testing.TB) *scene) {
	for title, c := range unapplicable {
		t.Run(title, func(t *testing.T) {
			s, h := newScene(t), newHistory()
			require.NoError(t, s.apply(h.open("a", "A", money("10.00 EUR"))))
			before := s.rows(accountsSQL)
			h.open("0", "before it", money("1.00 EUR"))
			h.deposit("a", money("5.00 EUR"))
			h.withdraw("a", money("5.00 EUR"), "")
			bad := h.add("a", c.name, c.payload)
			requireUnapplicable(t, s.apply(h.events[1:]...), bad, c.text)
			require.Equal(t, before, s.rows(accountsSQL))
			require.Len(t, s.rows(entriesSQL), 1)
		})
	}
	well := account.Opened{AccountHolder: "A", AccountType: account.Savings, OpeningBalance: money("1.00 EUR")}
	opening := map[string]struct {
		id      string
		payload any
		text    string
	}{
		"NoType":    {"a", account.Opened{AccountHolder: "A", OpeningBalance: money("1.00 EUR")}, "accountType"},
		"NoBalance": {"a", map[string]string{"accountHolder": "A", "accountType": "SAVINGS"}, "openingBalance must be given"},
		"SpaceInID": {"an id", well, "accountId"},
		"NoUTF8":    {"\xff", well, "accountId"},
	}
	for title, c := range opening {
		t.Run("Opened/"+title, func(t *testing.T) {
			s, h := newScene(t), newHistory()
			bad := h.add(c.id, account.OpenedName, c.payload)
			requireUnapplicable(t, s.apply(bad), bad, c.text)
		})
	}
	t.Run("NotOpened", func(t *testing.T) {
		s, h := newScene(t), newHistory()
		bad := h.close("a")
		requireUnapplicable(t, s.apply(bad), bad, "the account was not opened by an event before it")
	})
	t.Run("NewerSchema", func(t *testing.T) {
		s, h := newScene(t), newHistory()
		bad := h.open("a", "A", money("1.00 EUR"))
		bad.Type.Schema = 2
		requireUnapplicable(t, s.apply(bad), bad, "unknown event type")
	})
	t.Run("OfTwoAccounts", func(t *testing.T) {
		s, h := newScene(t), newHistory()
		first, second := h.close("a"), h.close("b")
		err := s.apply(second, first)
		requireUnapplicable(t, err, first, "was not opened")
		require.ErrorContains(t, err, "event "+second.ID)
	})
}

func requireUnapplicable(t *testing.T, err error, bad event.Envelope, text string) {
	t.Helper()
	u, ok := errors.AsType[*projection.Unapplicable](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, bad.ID, u.EventID)
	require.Equal(t, bad.Stream, u.Stream)
	require.Equal(t, bad.Version, u.Version)
	require.ErrorContains(t, u.Err, text)
}

// A row that somebody spoiled stops its own account only.
func TestModel_SpoiledRow(t *testing.T) { onEngines(t, testModelSpoiledRow) }

func testModelSpoiledRow(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	require.NoError(t, s.apply(h.open("a", "A", money("1.00 EUR")), h.open("b", "B", money("1.00 EUR"))))
	_, err := s.db.Exec(`UPDATE bank_account SET currency = 'XXX' WHERE id = 'a'`)
	require.NoError(t, err)
	bad := h.deposit("a", money("1.00 EUR"))
	requireUnapplicable(t, s.apply(bad, h.deposit("b", money("1.00 EUR"))), bad, "row of account a was changed from outside")
}

// A fact is a fact: what was accepted behind a closing counts, and the account
// stays closed.
func TestModel_DepositBehindClosing(t *testing.T) { onEngines(t, testModelDepositBehindClosing) }

func testModelDepositBehindClosing(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "A", money("1.00 EUR"))
	h.close("a")
	h.deposit("a", money("2.00 EUR"))
	require.NoError(t, s.apply(h.events...))
	a, err := s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, account.StatusClosed, a.Status)
	require.Equal(t, money("3.00 EUR"), a.Balance)
}

// Whoever writes without the gate is stopped by the version, not by luck.
func TestModel_ErrVersion(t *testing.T) { onEngines(t, testModelErrVersion) }

func testModelErrVersion(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	opened := h.open("a", "A", money("1.00 EUR"))
	second, third := h.deposit("a", money("1.00 EUR")), h.deposit("a", money("1.00 EUR"))
	require.NoError(t, s.apply(opened))
	before := s.rows(accountsSQL)
	for title, events := range map[string][]event.Envelope{
		"OpenedTwice": {opened}, "Twice": {second, second}, "Back": {third, second},
	} {
		err := s.apply(events...)
		require.ErrorIs(t, err, readmodel.ErrVersion, title)
		_, parks := errors.AsType[*projection.Unapplicable](err)
		require.False(t, parks, title)
	}
	require.Equal(t, before, s.rows(accountsSQL))
}

// Behind a discarded event the account goes on with what the next one claims;
// from there on the events have to add up again.
func TestModel_BehindDiscarded(t *testing.T) { onEngines(t, testModelBehindDiscarded) }

func testModelBehindDiscarded(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "A", money("1.00 EUR"))
	h.deposit("a", money("2.00 EUR"))
	behind, next := h.deposit("a", money("4.00 EUR")), h.withdraw("a", money("1.00 EUR"), "")
	require.NoError(t, s.apply(h.events[0]))
	require.NoError(t, s.apply(behind, next))
	require.Equal(t, []string{"a|3|6.00"}, s.rows(`SELECT id, version, balance FROM bank_account`))
	require.Equal(t, []string{"0|1.00", "2|7.00", "3|6.00"}, s.rows(`SELECT version, balance FROM account_entry ORDER BY version`))

	other := h.add("a", account.DepositedName, account.Deposited{Amount: money("1 JPY"), Balance: money("7 JPY")})
	other.Version++
	requireUnapplicable(t, s.apply(other), other, "currencies differ")
	h.versions["a"]--
	wrong := h.add("a", account.DepositedName, account.Deposited{Amount: money("1.00 EUR"), Balance: money("9.00 EUR")})
	requireUnapplicable(t, s.apply(wrong), wrong, "add up to 7.00 EUR")
}

// A writer that read the row before another one changed it does not overwrite
// the change: the statement itself carries the version.
func TestModel_StatementCarriesVersion(t *testing.T) {
	s, h := newScene(t), newHistory()
	require.NoError(t, s.apply(h.open("a", "A", money("1.00 EUR"))))
	next := h.deposit("a", money("1.00 EUR"))
	statements := must(readmodel.Statements(readmodel.SQLite))
	err := s.store.Update(t.Context(), func(tx *sql.Tx) error {
		for _, c := range []struct{ expected, changed int64 }{{-1, 0}, {1, 0}, {0, 1}, {0, 0}} {
			result, err := tx.Exec(statements["updateAccount"], "2.00", 20_000, 1, next.ID, 2, "", "a", c.expected)
			require.NoError(t, err)
			require.Equal(t, c.changed, must(result.RowsAffected()), "expected version %d", c.expected)
		}
		return nil
	})
	require.NoError(t, err)
}

// A batch that cannot be applied parks its account in the projection, and the
// others flow.
func TestModel_ParksOneAccount(t *testing.T) { onEngines(t, testModelParksOneAccount) }

func testModelParksOneAccount(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("good", "G", money("1.00 EUR"))
	h.open("bad", "B", money("1.00 EUR"))
	h.add("bad", account.DepositedName, account.Deposited{Amount: money("1.00 EUR"), Balance: money("9.00 EUR")})
	h.deposit("good", money("1.00 EUR"))
	h.close("bad")
	p := s.projection(500)
	tp := topic("t1", h.events...)
	require.NoError(t, p.RunToEnd(t.Context(), tp, tp.Topic))
	require.Equal(t, []string{"bad|0|1.00", "good|1|2.00"}, s.rows(`SELECT id, version, balance FROM bank_account ORDER BY id`))
	parked, err := p.Parked(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, parked, 1)
	require.Equal(t, projection.ReasonUnapplicable, parked[0].Reason)
	require.Equal(t, "bad/1", parked[0].EventID)
	require.EqualValues(t, 2, parked[0].Queued)
	require.Contains(t, parked[0].Error, "balance in the event is 9.00 EUR")
}

// The end of a context is an error that is tried again, and leaves nothing.
func TestModel_Canceled(t *testing.T) { onEngines(t, testModelCanceled) }

func testModelCanceled(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	err := s.store.Update(t.Context(), func(tx *sql.Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return s.model.Apply(ctx, tx, []event.Envelope{h.open("a", "A", money("1.00 EUR"))})
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.rows(accountsSQL))
}

// Times keep their microseconds, and texts of times sort as the times do.
func TestModel_Times(t *testing.T) { onEngines(t, testModelTimes) }

func testModelTimes(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	moments := []time.Time{
		time.Date(999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(2026, 11, 22, 6, 23, 1, 0, time.UTC),
		time.Date(2026, 11, 22, 6, 23, 1, 1000, time.UTC),
		time.Date(2026, 11, 22, 6, 23, 1, 949_000_000, time.FixedZone("", 0)),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	}
	for i, at := range moments {
		e := h.open(strconv.Itoa(i), "A", money("1.00 EUR"))
		e.Time = at
		require.NoError(t, s.apply(e))
		a, err := s.reader.FindAccountByID(t.Context(), e.Stream)
		require.NoError(t, err)
		require.True(t, at.Equal(a.CreatedAt), "%s is %s", at, a.CreatedAt)
		require.Equal(t, time.UTC, a.CreatedAt.Location())
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, s.rows(`SELECT id FROM bank_account ORDER BY creation_date`))
}
