package readmodel_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/engine/mysql"
	"passbook/internal/testenv"
)

// onEngines runs a test on each engine: on MySQL where there is a server.
func onEngines(t *testing.T, test func(t *testing.T, newScene func(testing.TB) *scene)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newScene) })
	t.Run("MySQL", func(t *testing.T) {
		test(t, newMySQLScene)
	})
}

// openMySQL opens the read side in a new database, which goes with the test.
func openMySQL(tb testing.TB) *mysql.ProjectionStore {
	tb.Helper()
	store, err := mysql.OpenProjectionStore(context.Background(), testenv.MySQLDatabase(tb))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return store
}

func newMySQLScene(tb testing.TB) *scene {
	tb.Helper()
	store := openMySQL(tb)
	return sceneOf(tb, store, readmodel.MySQL)
}

var (
	accountTable = regexp.MustCompile(`FROM (bank_account\w*)`)
	entryTable   = regexp.MustCompile(`FROM (account_entry\w*)`)
)

// shown has a query read what the tables of MySQL say in the words of SQLite's.
func shown(query string) string {
	const at = `, '%Y-%m-%dT%H:%i:%s.%fZ')`
	money := func(column string) string {
		return `LEFT(` + column + `, LOCATE('.', ` + column + `) + decimals - (decimals = 0)) AS ` + column
	}
	query = accountTable.ReplaceAllString(query, `FROM (SELECT id, account_holder, DATE_FORMAT(creation_date`+at+` AS creation_date,
		account_type, `+money("balance")+`, currency, status, version, event_id, position, DATE_FORMAT(updated_at`+at+` AS updated_at,
		balance_units FROM $1) AS $1`)
	return entryTable.ReplaceAllString(query, `FROM (SELECT account_id, version, event_id, DATE_FORMAT(time`+at+` AS time, kind,
		`+money("amount")+`, `+money("balance")+`, reference, position, DATE_FORMAT(since`+at+` AS since FROM $1) AS $1`)
}
