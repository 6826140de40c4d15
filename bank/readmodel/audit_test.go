package readmodel_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
)

// What any change of a row does to an audit, each from the same rows.
func TestAudit(t *testing.T) { onEngines(t, testAudit) }

func testAudit(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	h := newHistory()
	h.open("a", "Ada", money("100.00 EUR"))
	h.deposit("a", money("25.50 EUR"))
	h.open("b", "Bob", money("0.00 EUR"))
	h.withdraw("a", money("20.00 EUR"), "Rent")
	h.deposit("b", money("1.00 EUR"))
	h.withdraw("b", money("1.00 EUR"), "Rent")
	h.close("b")
	require.NoError(t, s.apply(h.events...))
	audit := func(tx *sql.Tx, except map[string]bool) error {
		told, err := readmodel.NewAudit(s.dialect, readmodel.LiveTables())
		require.NoError(t, err)
		events := slices.Clone(h.events)
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		for _, e := range events {
			if !except[e.Stream] {
				require.NoError(t, told.Saw(e))
			}
		}
		return told.Check(context.Background(), tx, except)
	}
	require.NoError(t, s.store.View(t.Context(), func(tx *sql.Tx) error { return audit(tx, nil) }))

	for _, change := range []string{
		`UPDATE bank_account SET balance = '105.51', balance_units = 1055100 WHERE id = 'a'`,
		`UPDATE bank_account SET version = 1 WHERE id = 'a'`,
		`UPDATE bank_account SET version = 9 WHERE id = 'a'`,
		`UPDATE bank_account SET event_id = 'x' WHERE id = 'a'`,
		`UPDATE bank_account SET position = 99 WHERE id = 'a'`,
		`UPDATE bank_account SET account_holder = 'Eve' WHERE id = 'a'`,
		`UPDATE bank_account SET account_type = 1 - account_type WHERE id = 'a'`,
		`UPDATE bank_account SET currency = 'USD' WHERE id = 'a'`,
		`DELETE FROM bank_account WHERE id = 'b'`,
		`INSERT INTO bank_account SELECT 'c', account_holder, creation_date, account_type, balance, currency, status, version, event_id, position, updated_at, balance_units FROM bank_account WHERE id = 'a'`,
		`UPDATE account_entry SET balance = '125.51' WHERE account_id = 'a' AND version = 1`,
		`UPDATE account_entry SET amount = '25.51' WHERE account_id = 'a' AND version = 1`,
		`UPDATE account_entry SET reference = 'x' WHERE account_id = 'a' AND version = 1`,
		`UPDATE account_entry SET event_id = 'x' WHERE account_id = 'a' AND version = 1`,
		`UPDATE account_entry SET position = 77 WHERE account_id = 'a' AND version = 1`,
		`DELETE FROM account_entry WHERE account_id = 'a' AND version = 1`,
		`UPDATE account_entry SET version = 7 WHERE account_id = 'a' AND version = 1`,
	} {
		rolledBack := s.store.Update(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), s.complete(change))
			require.NoError(t, err, change)
			found := audit(tx, nil)
			require.ErrorIs(t, found, readmodel.ErrAudit, change)
			return found
		})
		require.ErrorIs(t, rolledBack, readmodel.ErrAudit)
	}

	// What does not count may differ.
	_, err := s.db.Exec(`UPDATE bank_account SET version = 1 WHERE id = 'a'`)
	require.NoError(t, err)
	require.NoError(t, s.store.View(t.Context(), func(tx *sql.Tx) error { return audit(tx, map[string]bool{"a": true}) }))
}

func TestDifferences(t *testing.T) { onEngines(t, testDifferences) }

func testDifferences(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	h := newHistory()
	h.open("a", "Ada", money("100.00 EUR"))
	h.open("b", "Bob", money("0.00 EUR"))
	h.open("c", "Cem", money("1.00 EUR"))
	h.deposit("c", money("1.00 EUR"))
	require.NoError(t, s.apply(h.events...))
	other := readmodel.Tables{Account: "bank_account_2", Entry: "account_entry_2"}
	model, err := readmodel.NewModel(s.dialect, other)
	require.NoError(t, err)
	differences := func() (n int64) {
		require.NoError(t, s.store.View(t.Context(), func(tx *sql.Tx) (err error) {
			n, err = readmodel.Differences(t.Context(), tx, s.dialect, other)
			return err
		}))
		return n
	}
	require.NoError(t, s.store.Update(t.Context(), func(tx *sql.Tx) error {
		require.NoError(t, readmodel.CreateTables(t.Context(), tx, s.dialect, other))
		return model.Apply(t.Context(), tx, h.events[:3])
	}))
	require.Zero(t, differences(), "another version is no difference")
	for _, change := range []string{
		`UPDATE bank_account SET account_holder = 'Eve' WHERE id = 'a'`,
		`UPDATE bank_account SET balance = '7.00', balance_units = 70000 WHERE id = 'b'`,
		`INSERT INTO bank_account SELECT 'z', account_holder, creation_date, account_type, balance, currency, status, version, event_id, position, updated_at, balance_units FROM bank_account WHERE id = 'a'`,
	} {
		before := differences()
		_, err := s.db.Exec(s.complete(change))
		require.NoError(t, err)
		require.Equal(t, before+1, differences(), change)
	}
}

// complete names the column that is there on MySQL alone.
func (s *scene) complete(insert string) string {
	if s.dialect == readmodel.MySQL {
		return strings.ReplaceAll(insert, "balance_units FROM", "balance_units, decimals FROM")
	}
	return insert
}
