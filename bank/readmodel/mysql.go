package readmodel

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	driver "github.com/go-sql-driver/mysql"

	"passbook/contract/account"
)

// Times and amounts leave MySQL as the texts that every other part here reads
// and compares: formatTime's, and as many decimals as the currency has.
func mysqlTime(column string) string {
	return `DATE_FORMAT(` + column + `, '%Y-%m-%dT%H:%i:%s.%fZ')`
}

func mysqlAmount(column, decimals string) string {
	return `LEFT(` + column + `, CHAR_LENGTH(` + column + `) - IF(` + decimals + ` = 0, 5, 4 - ` + decimals + `))`
}

// mysqlAccountColumns and mysqlEntryColumns are in the order of accountColumns
// and entryColumns.
func mysqlAccountColumns() string {
	return `id, account_holder, ` + mysqlTime(`creation_date`) + `, account_type, ` + mysqlAmount(`balance`, `decimals`) +
		`, currency, status, version, event_id, position, ` + mysqlTime(`updated_at`)
}

func mysqlEntryColumns() string {
	return `version, event_id, ` + mysqlTime(`time`) + `, kind, ` + mysqlAmount(`amount`, `decimals`) + `, ` +
		mysqlAmount(`balance`, `decimals`) + `, reference, position`
}

// mysqlStatements: JSON_TABLE reads an array as rows, and each is looked up by
// an index; STRAIGHT_JOIN begins with its left side. The optimizer is told the
// index of a list, where it would rather sort a million accounts than pass over
// ten.
func mysqlStatements(t Tables) statements {
	const collate = ` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin`
	const ids = `JSON_TABLE(?, '$[*]' COLUMNS (k VARCHAR(64)` + collate + ` PATH '$')) AS list`
	account := mysqlAccountColumns()
	return statements{
		isolation: sql.LevelRepeatableRead, isRetryable: isMySQLDeadlock, write: mysqlWriter(t), fits: mysqlFits,

		heads: `SELECT id, version, event_id FROM ` + ids + ` STRAIGHT_JOIN ` + t.Account + ` ON id = k`,
		rows:  `SELECT ` + account + ` FROM ` + ids + ` STRAIGHT_JOIN ` + t.Account + ` ON id = k`,
		eventIDs: `SELECT account_id, version, event_id
		FROM JSON_TABLE(?, '$[*]' COLUMNS (k VARCHAR(64)` + collate + ` PATH '$[0]', v BIGINT PATH '$[1]')) AS list
		STRAIGHT_JOIN ` + t.Entry + ` ON account_id = k AND version = v`,

		ping: `SELECT EXISTS (SELECT 1 FROM ` + t.Account + `)`,
		byID: `SELECT ` + account + ` FROM ` + t.Account + ` WHERE id = ?`,
		page: func(q *PageQuery) (string, []any) { return mysqlPage(t, q) },
		severalCurrencies: `SELECT coalesce((SELECT min(currency) FROM ` + t.Account + `) <> (SELECT max(currency) FROM ` +
			t.Account + `), FALSE)`,

		since: `SELECT version, ` + mysqlTime(`coalesce(since, time)`) + ` FROM ` + t.Entry + ` FORCE INDEX (PRIMARY)
		WHERE account_id = ? AND version >= ? ORDER BY version LIMIT 1`,
		asOf: `SELECT version, event_id, ` + mysqlTime(`coalesce(since, time)`) + `, ` + mysqlAmount(`balance`, `decimals`) +
			`, position FROM ` + t.Entry + ` FORCE INDEX (PRIMARY) WHERE account_id = ? AND version <= ? ORDER BY version DESC LIMIT 1`,
		closed: `SELECT EXISTS (SELECT 1 FROM ` + t.Entry + ` FORCE INDEX (by_closing) WHERE account_id = ? AND version <= ? AND kind = 'CLOSED')`,
		entries: `SELECT ` + mysqlEntryColumns() + ` FROM ` + t.Entry + ` FORCE INDEX (PRIMARY)
		WHERE account_id = ? AND version > ? AND version < ? ORDER BY version LIMIT ?`,

		positionMax:   `SELECT coalesce(max(position), 0) FROM ` + t.Entry,
		positionCount: `SELECT count(*) FROM ` + t.Entry + ` WHERE position > ? AND position <= ?`,
		positions: `SELECT position FROM JSON_TABLE(?, '$[*]' COLUMNS (k BIGINT PATH '$')) AS list
		STRAIGHT_JOIN ` + t.Entry + ` ON position = k`,

		all: list{
			count: `SELECT count(*) FROM ` + t.Account + ` WHERE status = 'OPEN'`,
			rows:  `SELECT ` + account + ` FROM ` + t.Account + ` FORCE INDEX (PRIMARY) WHERE status = 'OPEN' ORDER BY id`,
		},
		byHolder: mysqlList(t, "by_holder", "account_holder = ?", "id"),
		above:    mysqlList(t, "by_balance", "balance_units > ?", "balance_units, id"),
		below:    mysqlList(t, "by_balance", "balance_units < ?", "balance_units, id"),
		verify:   mysqlVerifyStatements(t),
		audit:    mysqlAuditStatements(t),
	}
}

// mysqlList is the list of the open accounts for which condition holds.
func mysqlList(t Tables, index, condition, order string) list {
	from := ` FROM ` + t.Account + ` FORCE INDEX (` + index + `) WHERE ` + condition + ` AND status = 'OPEN'`
	return list{
		count: `SELECT count(*)` + from,
		rows:  `SELECT ` + mysqlAccountColumns() + from + ` ORDER BY ` + order,
	}
}

// isMySQLDeadlock: a transaction of several statements may be in the way of a
// line that is swapped in, and is ended then.
func isMySQLDeadlock(err error) bool {
	const deadlock = 1213
	e, ok := errors.AsType[*driver.MySQLError](err)
	return ok && e.Number == deadlock
}

// textMax is how many characters the columns for texts take.
const textMax = 255

// mysqlFits says what no column has room for. What a service accepts is shorter
// by far; a feed may hold anything, and trying again would not help.
func mysqlFits(c *change) error {
	fits := func(what, text string) error {
		if n := utf8.RuneCountInString(text); n > textMax {
			return fmt.Errorf("the %s has %d characters, and there is room for %d", what, n, textMax)
		}
		return nil
	}
	faults := []error{fits("account holder", c.next.Holder), mysqlFitsTime(c.next.CreatedAt), mysqlFitsTime(c.next.UpdatedAt)}
	for _, e := range c.entries {
		faults = append(faults, fits("event id", e.EventID), fits("reference", e.Reference), mysqlFitsTime(e.Time))
	}
	return errors.Join(faults...)
}

func mysqlFitsTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return fmt.Errorf("there is no room for a time in the year %d", year)
	}
	return nil
}

// mysqlDecimals is how many decimals an amount is shown with.
func mysqlDecimals(m account.Money) int { return m.Currency().Decimals() }

// mysqlMoment writes a time as MySQL reads it.
func mysqlMoment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }
