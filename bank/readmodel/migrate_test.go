package readmodel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
)

func TestMigrate(t *testing.T) {
	t.Run("AgainIsNothing", func(t *testing.T) {
		s := newScene(t)
		require.NoError(t, s.apply(newHistory().open("a", "John Doe", money("1.00 EUR"))))
		before := s.rows(`SELECT name, sql FROM sqlite_schema ORDER BY name`)
		require.NoError(t, readmodel.Migrate(t.Context(), s.db, readmodel.SQLite))
		require.Equal(t, before, s.rows(`SELECT name, sql FROM sqlite_schema ORDER BY name`))
		require.Len(t, s.rows(`SELECT id FROM bank_account`), 1)
	})
	t.Run("TablesOfItsOwn", func(t *testing.T) {
		s := newScene(t)
		require.Equal(t, []string{"account_entry", "bank_account", "readmodel_schema"},
			s.rows(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'checkpoint' `+
				`AND name NOT LIKE 'parked%' ORDER BY name`))
	})
	t.Run("NewerTables", func(t *testing.T) {
		s := newScene(t)
		_, err := s.db.Exec(`INSERT INTO readmodel_schema (version_id, is_applied) VALUES (99, 1)`)
		require.NoError(t, err)
		require.EqualError(t, readmodel.Migrate(t.Context(), s.db, readmodel.SQLite),
			"tables of the read model: they have version 99, and this program knows up to 1: use a newer one")
	})
	t.Run("UnknownDialect", func(t *testing.T) {
		s := newScene(t)
		require.ErrorContains(t, readmodel.Migrate(t.Context(), s.db, "oracle"), `"oracle"`)
		_, err := readmodel.NewModel("oracle")
		require.ErrorContains(t, err, `"oracle"`)
		_, err = readmodel.NewReader(s.db, "oracle")
		require.ErrorContains(t, err, `"oracle"`)
	})
}

// The check keeps the two columns of a balance from telling different things.
func TestMigrate_BalanceCheck(t *testing.T) {
	s := newScene(t)
	require.NoError(t, s.apply(newHistory().open("a", "John Doe", money("12.50 EUR"))))
	_, err := s.db.Exec(`UPDATE bank_account SET balance = '12.51'`)
	require.ErrorContains(t, err, "CHECK")
	_, err = s.db.Exec(`UPDATE bank_account SET balance_units = 125001`)
	require.ErrorContains(t, err, "CHECK")
	for text, units := range map[string]int64{
		"0": 0, "7": 70_000, "-7": -70_000, "0.1": 1_000, "0.01": 100, "0.001": 10, "0.0001": 1, "-0.0001": -1,
		"999999999999.9999": 9_999_999_999_999_999,
	} {
		_, err = s.db.Exec(`UPDATE bank_account SET balance = ?, balance_units = ?`, text, units)
		require.NoError(t, err, text)
	}
}
