package readmodel

import (
	"context"
	"database/sql"
)

// statements is everything that is asked of a database, in its dialect. Lists
// of any length come as one parameter, so that a statement is always the same.
type statements struct {
	// isolation is that of transactions that read: one state in all statements.
	isolation sql.IsolationLevel
	// isRetryable tells of an error that ended a transaction which would succeed
	// if it were run again. Nil: there is none.
	isRetryable func(err error) bool
	// write brings changes into the tables, their accounts ascending. Nil: by the
	// four statements below.
	write func(ctx context.Context, tx *sql.Tx, changes []*change) error
	// fits says why a change cannot be written, ever. Nil: all can.
	fits func(c *change) error

	// heads and rows take a JSON array of ids.
	heads, rows string
	// eventIDs takes a JSON array of pairs [id, version].
	eventIDs string
	// A new account inserts its row, unless there is one; one that is there
	// changes its row, if it has the version that the last parameter names; and
	// each event inserts its line of the account's statement. An update that
	// leaves the status alone does not name it, since every index with a column
	// that is named would be written.
	insertAccount, updateAccount, updateStatus, insertEntry string

	// ping touches the tables, to see that they are there.
	ping string
	// byID takes an id.
	byID string
	// page returns a page of accounts, one more than asked for if there is.
	page func(*PageQuery) (query string, args []any)
	// severalCurrencies tells whether accounts have more than one.
	severalCurrencies string

	// since takes an account and a version, and returns the first entry from
	// that version on, with Account.UpdatedAt as of it. asOf takes the same, and
	// returns the last entry up to that version. closed tells whether the
	// account was, by that version.
	since, asOf, closed string
	// entries takes an account, versions above and below, and a limit.
	entries string

	// positionMax is the greatest position, 0 without any. positionCount takes
	// the bounds of a range, without the first and with the last; positions
	// takes a JSON array, and returns those that are there.
	positionMax, positionCount, positions string
	// Lists end in a condition with one parameter at most, and in an order.
	all, byHolder, above, below list

	verify verifyStatements
	audit  auditStatements
}

// list is a query for accounts, with the query for their number.
type list struct{ count, rows string }

// accountColumns is in the order in which scanAccount reads them.
const accountColumns = `id, account_holder, creation_date, account_type, balance, currency, status, version, event_id, position, updated_at`

// entryColumns is in the order in which scanEntry reads them.
const entryColumns = `version, event_id, time, kind, amount, balance, reference, position`

// sqliteStatements: json_each reads an array as rows, and each is looked up by
// primary key; CROSS JOIN begins with its left side.
//
// Rows are written one by one, with statements that are prepared once for each
// batch. Nothing lies between the program and the database, and statements of
// many rows were measured to be no faster here (BenchmarkBare).
func sqliteStatements(t Tables) statements {
	return statements{
		heads: `SELECT id, version, event_id FROM ` + t.Account + ` WHERE id IN (SELECT value FROM json_each(?))`,
		rows:  `SELECT ` + accountColumns + ` FROM ` + t.Account + ` WHERE id IN (SELECT value FROM json_each(?))`,
		eventIDs: `SELECT e.account_id, e.version, e.event_id
		FROM json_each(?) AS k CROSS JOIN ` + t.Entry + ` AS e ON e.account_id = k.value ->> 0 AND e.version = k.value ->> 1`,

		insertAccount: `INSERT INTO ` + t.Account + ` (` + accountColumns + `, balance_units) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`,
		updateAccount: `UPDATE ` + t.Account + `
		SET balance = ?, balance_units = ?, version = ?, event_id = ?, position = ?, updated_at = ?
		WHERE id = ? AND version = ?`,
		updateStatus: `UPDATE ` + t.Account + `
		SET status = ?, balance = ?, balance_units = ?, version = ?, event_id = ?, position = ?, updated_at = ?
		WHERE id = ? AND version = ?`,
		insertEntry: `INSERT INTO ` + t.Entry + ` (account_id, version, event_id, time, kind, amount, balance, reference, position, since)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,

		ping: `SELECT EXISTS (SELECT 1 FROM ` + t.Account + `)`,
		byID: `SELECT ` + accountColumns + ` FROM ` + t.Account + ` WHERE id = ?`,
		page: func(q *PageQuery) (string, []any) { return sqlitePage(t, q) },
		severalCurrencies: `SELECT coalesce((SELECT min(currency) FROM ` + t.Account + `) <> (SELECT max(currency) FROM ` +
			t.Account + `), FALSE)`,

		since: `SELECT version, coalesce(since, time) FROM ` + t.Entry + `
		WHERE account_id = ? AND version >= ? ORDER BY version LIMIT 1`,
		asOf: `SELECT version, event_id, coalesce(since, time), balance, position FROM ` + t.Entry + `
		WHERE account_id = ? AND version <= ? ORDER BY version DESC LIMIT 1`,
		closed: `SELECT EXISTS (SELECT 1 FROM ` + t.Entry + ` WHERE account_id = ? AND version <= ? AND kind = 'CLOSED')`,
		entries: `SELECT ` + entryColumns + ` FROM ` + t.Entry + `
		WHERE account_id = ? AND version > ? AND version < ? ORDER BY version LIMIT ?`,

		positionMax:   `SELECT coalesce(max(position), 0) FROM ` + t.Entry,
		positionCount: `SELECT count(*) FROM ` + t.Entry + ` WHERE position > ? AND position <= ?`,
		positions:     `SELECT position FROM ` + t.Entry + ` WHERE position IN (SELECT value FROM json_each(?))`,

		all: list{
			count: `SELECT count(*) FROM ` + t.Account + ` WHERE status = 'OPEN'`,
			rows:  `SELECT ` + accountColumns + ` FROM ` + t.Account + ` WHERE +status = 'OPEN' ORDER BY id`,
		},
		byHolder: sqliteList(t, "account_holder = ? AND +status = 'OPEN'", "id"),
		above:    sqliteList(t, "balance_units > ? AND +status = 'OPEN'", "balance_units, id"),
		below:    sqliteList(t, "balance_units < ? AND +status = 'OPEN'", "balance_units, id"),
		verify:   sqliteVerifyStatements(t),
		audit:    sqliteAuditStatements(t),
	}
}

// sqliteList is the list of the accounts for which condition holds. The plus sign
// before a status keeps SQLite from finding them by that, to sort them then.
func sqliteList(t Tables, condition, order string) list {
	return list{
		count: `SELECT count(*) FROM ` + t.Account + ` WHERE ` + condition,
		rows:  `SELECT ` + accountColumns + ` FROM ` + t.Account + ` WHERE ` + condition + ` ORDER BY ` + order,
	}
}
