package readmodel_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/engine/sqlite"
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
		store, err := sqlite.OpenProjectionStore(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"), sqlite.Rebuildable)
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		s := &scene{tb: t, db: store.DB()}
		const tables = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`
		before := s.rows(tables)
		require.NotEmpty(t, before, "those of the engine")
		require.NoError(t, readmodel.Migrate(t.Context(), s.db, readmodel.SQLite))
		added := slices.DeleteFunc(s.rows(tables), func(name string) bool { return slices.Contains(before, name) })
		require.Equal(t, []string{"account_entry", "bank_account", "readmodel_schema"}, added)
	})
	t.Run("NewerTables", func(t *testing.T) {
		s := newScene(t)
		_, err := s.db.Exec(`INSERT INTO readmodel_schema (version_id, is_applied) VALUES (99, 1)`)
		require.NoError(t, err)
		require.EqualError(t, readmodel.Migrate(t.Context(), s.db, readmodel.SQLite),
			"tables of the read model: they have version 99, and this program knows up to 2: use a newer one")
	})
	t.Run("UnknownDialect", func(t *testing.T) {
		s := newScene(t)
		require.ErrorContains(t, readmodel.Migrate(t.Context(), s.db, "oracle"), `"oracle"`)
		_, err := readmodel.NewModel("oracle", readmodel.LiveTables())
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
