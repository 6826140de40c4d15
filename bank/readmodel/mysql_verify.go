package readmodel

import "passbook/es/verify"

// mysqlVerifyStatements: columns are those of the other dialects, as the same
// texts. A place is written out, so that it is found in the primary key.
func mysqlVerifyStatements(t Tables) verifyStatements {
	row := `SELECT id, account_holder, ` + mysqlTime(`creation_date`) + `, account_type, ` + mysqlAmount(`balance`, `decimals`) +
		`, currency, status, version, event_id, position, ` + mysqlTime(`updated_at`) + `, balance_units FROM ` + t.Account + ` FORCE INDEX (PRIMARY)`
	entry := `SELECT account_id, ` + mysqlEntryColumns() + `, ` + mysqlTime(`since`) + ` FROM ` + t.Entry +
		` FORCE INDEX (PRIMARY) WHERE account_id >= ? AND (account_id > ? OR version > ?)`
	const order = ` ORDER BY account_id, version LIMIT ?`
	return verifyStatements{
		rowsFrom:   row + ` WHERE id >= ? ORDER BY id LIMIT ?`,
		rowsAfter:  row + ` WHERE id > ? ORDER BY id LIMIT ?`,
		entries:    entry + ` AND account_id <= ?` + order,
		entriesAll: entry + order,
		place:      func(after verify.Cursor) []any { return []any{after.Stream, after.Stream, after.Version} },
	}
}

// mysqlAuditStatements are those of the other dialects, in MySQL's words: <=>
// finds two values that are missing equal.
func mysqlAuditStatements(t Tables) auditStatements {
	live := LiveTables()
	return auditStatements{
		entries: `SELECT e.account_id, e.version, e.event_id, e.position, coalesce(` + mysqlAmount(`e.amount`, `e.decimals`) + `, ''),
		CASE e.kind WHEN 'CLOSED' THEN '' ELSE ` + mysqlAmount(`e.balance`, `e.decimals`) + ` END,
		CASE e.kind WHEN 'CLOSED' THEN '' ELSE a.currency END,
		CASE e.kind WHEN 'CLOSED' THEN '' ELSE coalesce(e.reference, '') END,
		CASE e.version WHEN 0 THEN a.account_holder ELSE '' END, CASE e.version WHEN 0 THEN a.account_type ELSE -1 END
		FROM ` + t.Entry + ` AS e JOIN ` + t.Account + ` AS a ON a.id = e.account_id`,
		rows: auditRows(t, ` OR e.decimals <> a.decimals`),
		differences: differencesBetween(live, t, `NOT (l.account_holder <=> n.account_holder AND l.creation_date <=> n.creation_date
		AND l.account_type <=> n.account_type AND l.balance <=> n.balance AND l.decimals <=> n.decimals AND l.currency <=> n.currency
		AND l.status <=> n.status AND l.event_id <=> n.event_id AND l.position <=> n.position AND l.updated_at <=> n.updated_at)`),
	}
}
