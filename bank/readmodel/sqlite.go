package readmodel

// statements is everything that is asked of a database, in its dialect. Lists
// of any length come as one parameter, so that a statement is always the same.
type statements struct {
	// heads and rows take a JSON array of ids.
	heads, rows string
	// eventIDs takes a JSON array of pairs [id, version].
	eventIDs string
	// A new account inserts its row, unless there is one; one that is there
	// changes its row, if it has the version that the last parameter names; and
	// each event inserts its line of the account's statement.
	insertAccount, updateAccount, insertEntry string

	// ping touches the tables, to see that they are there.
	ping string
	// byID takes an id.
	byID string
	// Lists end in a condition with one parameter at most, and in an order.
	all, byHolder, above, below list
}

// list is a query for accounts, with the query for their number.
type list struct{ count, rows string }

// accountColumns is in the order in which scanAccount reads them.
const accountColumns = `id, account_holder, creation_date, account_type, balance, currency, status, version, event_id, position, updated_at`

// sqliteStatements: json_each reads an array as rows, and each is looked up by
// primary key; CROSS JOIN begins with its left side.
//
// Rows are written one by one, with statements that are prepared once for each
// batch. Nothing lies between the program and the database, and statements of
// many rows were measured to be no faster here (BenchmarkBare).
func sqliteStatements() statements {
	return statements{
		heads: `SELECT id, version, event_id FROM bank_account WHERE id IN (SELECT value FROM json_each(?))`,
		rows:  `SELECT ` + accountColumns + ` FROM bank_account WHERE id IN (SELECT value FROM json_each(?))`,
		eventIDs: `SELECT e.account_id, e.version, e.event_id
		FROM json_each(?) AS k CROSS JOIN account_entry AS e ON e.account_id = k.value ->> 0 AND e.version = k.value ->> 1`,

		insertAccount: `INSERT INTO bank_account (` + accountColumns + `, balance_units) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`,
		updateAccount: `UPDATE bank_account
		SET balance = ?, balance_units = ?, status = ?, version = ?, event_id = ?, position = ?, updated_at = ?
		WHERE id = ? AND version = ?`,
		insertEntry: `INSERT INTO account_entry (account_id, version, event_id, time, kind, amount, balance, reference, position)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,

		ping: `SELECT EXISTS (SELECT 1 FROM bank_account)`,
		byID: `SELECT ` + accountColumns + ` FROM bank_account WHERE id = ?`,

		all:      sqliteList("status = 'OPEN'", "id"),
		byHolder: sqliteList("account_holder = ? AND status = 'OPEN'", "id"),
		above:    sqliteList("balance_units > ? AND status = 'OPEN'", "balance_units, currency, id"),
		below:    sqliteList("balance_units < ? AND status = 'OPEN'", "balance_units, currency, id"),
	}
}

// sqliteList is the list of the accounts for which condition holds.
func sqliteList(condition, order string) list {
	return list{
		count: `SELECT count(*) FROM bank_account WHERE ` + condition,
		rows:  `SELECT ` + accountColumns + ` FROM bank_account WHERE ` + condition + ` ORDER BY ` + order,
	}
}
