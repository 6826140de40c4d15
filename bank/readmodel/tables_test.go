package readmodel_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
)

var nextTables = readmodel.Tables{Account: "bank_account_next", Entry: "account_entry_next"}

// createTables makes another line.
func (s *scene) createTables(tables readmodel.Tables) error {
	return s.store.Update(context.Background(), func(tx *sql.Tx) error {
		return readmodel.CreateTables(context.Background(), tx, s.dialect, tables)
	})
}

// schema describes a line without its names: columns, keys and checks as they
// are written, and its indexes by what is in them.
func (s *scene) schema(t readmodel.Tables) (all []string) {
	s.tb.Helper()
	if s.dialect == readmodel.MySQL {
		return s.mysqlSchema(t)
	}
	for _, table := range []string{t.Account, t.Entry} {
		written := s.rows(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, table)
		require.Len(s.tb, written, 1)
		_, columns, _ := strings.Cut(written[0], "(")
		all = append(all, columns)
		all = append(all, s.rows(`SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid`, table)...)
		var indexes []string
		for _, index := range s.rows(`SELECT name FROM pragma_index_list(?)`, table) {
			columns := s.rows(`SELECT seqno, name, "desc", coll, key FROM pragma_index_xinfo(?) ORDER BY seqno`, index)
			kind := s.rows(`SELECT "unique", origin, partial FROM pragma_index_list(?) WHERE name = ?`, table, index)
			indexes = append(indexes, fmt.Sprint(kind, columns))
		}
		slices.Sort(indexes)
		all = append(all, indexes...)
	}
	return all
}

// mysqlSchema is schema as MySQL writes it.
func (s *scene) mysqlSchema(t readmodel.Tables) (all []string) {
	s.tb.Helper()
	for _, table := range []string{t.Account, t.Entry} {
		written := s.rows(`SHOW CREATE TABLE ` + table)
		require.Len(s.tb, written, 1)
		_, columns, _ := strings.Cut(written[0], "(")
		all = append(all, strings.Split(strings.ReplaceAll(columns, table, "a_table"), "\n")...)
	}
	return all
}

// swap puts a line in place of the live one, as an engine does it.
func (s *scene) swap(next readmodel.Tables) {
	s.tb.Helper()
	live := readmodel.LiveTables()
	for _, statement := range []string{
		"DROP TABLE " + live.Account, "DROP TABLE " + live.Entry,
		"ALTER TABLE " + next.Account + " RENAME TO " + live.Account,
		"ALTER TABLE " + next.Entry + " RENAME TO " + live.Entry,
	} {
		_, err := s.db.Exec(statement)
		require.NoError(s.tb, err)
	}
}

// However many lines were built and swapped in, the tables are those that the
// migrations make.
func TestCreateTables_SameSchemaAsMigrate(t *testing.T) {
	onEngines(t, testCreateTablesSameSchemaAsMigrate)
}

func testCreateTablesSameSchemaAsMigrate(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	migrated := s.schema(readmodel.LiveTables())
	require.Greater(t, len(migrated), 20)
	for range 3 {
		require.NoError(t, s.createTables(nextTables))
		require.Equal(t, migrated, s.schema(nextTables))
		require.Equal(t, migrated, s.schema(readmodel.LiveTables()))
		s.swap(nextTables)
		require.Equal(t, migrated, s.schema(readmodel.LiveTables()))
	}
	require.NoError(t, readmodel.Migrate(t.Context(), s.db, s.dialect))
	require.Equal(t, migrated, s.schema(readmodel.LiveTables()))
}

// Each line has a model of its own, and neither touches the other's rows.
func TestNewModel_OfAnotherLine(t *testing.T) { onEngines(t, testNewModelOfAnotherLine) }

func testNewModelOfAnotherLine(t *testing.T, newScene func(testing.TB) *scene) {
	s, live, next := newScene(t), newHistory(), newHistory()
	require.NoError(t, s.createTables(nextTables))
	model, err := readmodel.NewModel(s.dialect, nextTables)
	require.NoError(t, err)
	require.NoError(t, s.apply(live.open("a", "John Doe", money("1.00 EUR"))))
	next.open("a", "John Doe", money("2.00 EUR"))
	next.deposit("a", money("3.00 EUR"))
	require.NoError(t, s.store.Update(t.Context(), func(tx *sql.Tx) error {
		heads, err := model.Heads(t.Context(), tx, []string{"a"})
		require.NoError(t, err)
		require.Empty(t, heads)
		return model.Apply(t.Context(), tx, next.events)
	}))
	require.Equal(t, []string{"a|1.00|0"}, s.rows(`SELECT id, balance, version FROM bank_account`))
	require.Equal(t, []string{"a|5.00|1"}, s.rows(`SELECT id, balance, version FROM bank_account_next`))
	require.Equal(t, []string{"1"}, s.rows(`SELECT count(*) FROM account_entry`))
	require.Equal(t, []string{"2"}, s.rows(`SELECT count(*) FROM account_entry_next`))
	s.swap(nextTables)
	a, err := s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "5.00 EUR", a.Balance.String())
}

// All or nothing, in the transaction that was given.
func TestCreateTables_WithinTransaction(t *testing.T) {
	s := newScene(t)
	before := s.rows(`SELECT name FROM sqlite_schema ORDER BY name`)
	errStop := context.Canceled
	require.ErrorIs(t, s.store.Update(t.Context(), func(tx *sql.Tx) error {
		require.NoError(t, readmodel.CreateTables(t.Context(), tx, s.dialect, nextTables))
		return errStop
	}), errStop)
	require.Equal(t, before, s.rows(`SELECT name FROM sqlite_schema ORDER BY name`))
}

func TestTables_Refused(t *testing.T) { onEngines(t, testTablesRefused) }

func testTablesRefused(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	require.EqualError(t, s.createTables(readmodel.LiveTables()), "read model: the live tables are made by Migrate")
	for _, bad := range []string{"", "a b", "a;b", "1a", `a"`, "ä", strings.Repeat("a", 46)} {
		tables := readmodel.Tables{Account: bad, Entry: "e"}
		require.ErrorContains(t, s.createTables(tables), "cannot name a table", bad)
		_, err := readmodel.NewModel(s.dialect, tables)
		require.ErrorContains(t, err, "cannot name a table", bad)
	}
	require.ErrorContains(t, s.createTables(readmodel.Tables{Account: "a", Entry: "a"}), "names two tables")
	require.NoError(t, s.createTables(readmodel.Tables{Account: strings.Repeat("a", 45), Entry: strings.Repeat("b", 45)}))
}

func TestNextTables(t *testing.T) {
	require.Equal(t, []string{"bank_account", "account_entry"}, readmodel.TableNames())
	got, err := readmodel.NextTables(map[string]string{"bank_account": "a", "account_entry": "b"})
	require.NoError(t, err)
	require.Equal(t, readmodel.Tables{Account: "a", Entry: "b"}, got)
	_, err = readmodel.NextTables(map[string]string{"bank_account": "a"})
	require.ErrorContains(t, err, "names for 1 were given")
	_, err = readmodel.NextTables(map[string]string{"bank_account": "a", "entries": "b"})
	require.ErrorContains(t, err, `"" cannot name a table`)
}
