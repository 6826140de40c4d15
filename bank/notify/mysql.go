package notify

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"passbook/es/event"
)

// Types of the columns of lists. Texts are compared as those of the tables are.
const (
	mysqlCollate = ` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin`
	mysqlName    = `VARCHAR(255)` + mysqlCollate
	mysqlClaim   = `VARCHAR(512)` + mysqlCollate
	mysqlText    = `MEDIUMTEXT` + mysqlCollate
	mysqlNumber  = `BIGINT`

	mysqlIDs = `JSON_TABLE(?, '$[*]' COLUMNS (k ` + mysqlName + ` PATH '$')) AS list`
)

// mysqlStatements: JSON_TABLE reads an array as rows, and each is looked up by
// primary key; STRAIGHT_JOIN begins with its left side.
//
// Several processes are at work. Who records locks the lanes that it wants to be
// there, so that none of them is dropped by one who did not see yet what was
// recorded; who claims passes over lanes that another has locked, whoever that
// is: they are looked at again soon.
func mysqlStatements() statements {
	s := sqliteStatements()
	s.now = `SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)`
	s.fits = mysqlFits
	s.aheadMax = 256 // which costs little more than sixteen
	s.recordOnMySQL()
	s.sendOnMySQL()

	page := func(index, condition string) string {
		return `SELECT ` + notificationColumns + ` FROM notification FORCE INDEX (` + index + `) WHERE ` + condition +
			`seq < ? ORDER BY seq DESC LIMIT ?`
	}
	s.listAll = page(`PRIMARY`, ``)
	s.listByAccount = page(`by_account`, `account_id = ? AND `)
	s.listByState = page(`by_state`, `state = ? AND `)
	s.listByBoth = page(`by_account_state`, `account_id = ? AND state = ? AND `)
	s.pending = `SELECT channel, count(*), min(created_us) FROM notification FORCE INDEX (by_state_of_a_channel)
		WHERE state = 'pending' GROUP BY channel`

	s.rememberEvents = `INSERT INTO notify_known_event (event_id)
		SELECT event_id FROM notify_event WHERE position > (SELECT coalesce(start_position, 0) FROM notify_state)
		ON DUPLICATE KEY UPDATE event_id = notify_known_event.event_id`
	s.lowerStart = `UPDATE notify_state SET start_position = least(start_position, ?)`
	return s
}

// recordOnMySQL sets what brings events into the tables. A row that is there stays
// as it is, and is not counted, but is locked.
func (s *statements) recordOnMySQL() {
	const name, text, number = mysqlName, mysqlText, mysqlNumber
	s.heads = `SELECT account_id, version, event_id FROM ` + mysqlIDs + ` STRAIGHT_JOIN notify_account ON account_id = k`
	s.accounts = `SELECT account_id, version, holder, phone, email, balance, currency
		FROM ` + mysqlIDs + ` STRAIGHT_JOIN notify_account ON account_id = k`
	s.eventIDs = `SELECT account_id, version, event_id
		FROM JSON_TABLE(?, '$[*]' COLUMNS (k VARCHAR(255)` + mysqlCollate + ` PATH '$[0]', v BIGINT PATH '$[1]')) AS list
		STRAIGHT_JOIN notify_event ON account_id = k AND version = v`
	s.known = `SELECT event_id FROM ` + mysqlIDs + ` STRAIGHT_JOIN notify_known_event ON event_id = k`

	s.insertEvents = `INSERT INTO notify_event (account_id, version, event_id, position)
		SELECT a, v, e, p FROM ` + mysqlList(`a`, name, `v`, number, `e`, name, `p`, number)
	const holder = `a, v, e, h, t, m, b, c`
	columns := []string{`a`, name, `v`, number, `e`, name, `h`, text, `t`, text, `m`, text, `b`, name, `c`, name}
	s.insertAccounts = `INSERT INTO notify_account (account_id, version, event_id, holder, phone, email, balance, currency)
		SELECT ` + holder + ` FROM ` + mysqlList(columns...) + ` ON DUPLICATE KEY UPDATE version = notify_account.version`
	s.updateAccounts = `UPDATE ` + mysqlList(append(columns, `expected`, number)...) + `
		STRAIGHT_JOIN notify_account AS n ON n.account_id = a AND n.version = expected
		SET n.version = v, n.event_id = e, n.holder = h, n.phone = t, n.email = m, n.balance = b, n.currency = c`
	s.insertLanes = `INSERT INTO notify_lane (channel, account_id, due_us, claim)
		SELECT c, a, d, '' FROM ` + mysqlList(`c`, name, `a`, name, `d`, number) + ` ON DUPLICATE KEY UPDATE claim = notify_lane.claim`
	s.insertNotifications = `INSERT INTO notification
		(id, event_id, position, account_id, kind, channel, address, message, state, attempts, error, created_us, updated_us)
		SELECT i, e, p, a, k, c, t, m, 'pending', 0, '', d, d FROM ` +
		mysqlList(`i`, name, `e`, name, `p`, number, `a`, name, `k`, name, `c`, name, `t`, text, `m`, text, `d`, number) + `
		ON DUPLICATE KEY UPDATE state = notification.state`
}

// sendOnMySQL sets what claims notifications and keeps what became of them. The
// first of a lane is found by the whole order of its index: MySQL would sort the
// lane where the columns before seq are compared with those of another table.
func (s *statements) sendOnMySQL() {
	const name, text, claim, number = mysqlName, mysqlText, mysqlClaim, mysqlNumber
	s.lockLanes = `SELECT account_id, claim FROM ` + mysqlIDs + ` STRAIGHT_JOIN notify_lane ON channel = ? AND account_id = k
		FOR UPDATE OF notify_lane`
	s.dueLanes = `SELECT account_id FROM notify_lane FORCE INDEX (by_due) WHERE channel = ? AND due_us <= ?
		ORDER BY due_us LIMIT ? FOR UPDATE SKIP LOCKED`
	s.firsts = `SELECT n.account_id, n.seq, n.id, n.address, n.message, n.attempts, n.created_us
		FROM ` + mysqlIDs + ` STRAIGHT_JOIN notification AS n ON n.seq = (
			SELECT p.seq FROM notification AS p FORCE INDEX (by_state_of_a_channel)
			WHERE p.state = 'pending' AND p.channel = ? AND p.account_id = k
			ORDER BY p.state, p.channel, p.account_id, p.seq LIMIT 1)`
	s.claimLanes = `UPDATE ` + mysqlIDs + ` STRAIGHT_JOIN notify_lane AS l ON l.channel = ? AND l.account_id = k
		SET l.due_us = ?, l.claim = ?`
	s.releaseLanes = `UPDATE ` + mysqlList(`a`, name, `c`, claim, `d`, number) + `
		STRAIGHT_JOIN notify_lane AS l ON l.channel = ? AND l.account_id = a AND l.claim = c SET l.due_us = d, l.claim = ''`
	s.dropLanes = `DELETE l FROM ` + mysqlList(`a`, name, `c`, claim) + `
		STRAIGHT_JOIN notify_lane AS l ON l.channel = ? AND l.account_id = a AND l.claim = c`
	s.startAttempts = `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (k BIGINT PATH '$')) AS list STRAIGHT_JOIN notification AS n ON n.seq = k
		SET n.attempts = n.attempts + 1, n.updated_us = ?`
	s.settle = `UPDATE ` + mysqlList(`i`, name, `s`, name, `e`, text) + ` STRAIGHT_JOIN notification AS n ON n.id = i
		SET n.state = s, n.error = e, n.updated_us = ? WHERE n.state = 'pending'`
}

// mysqlList reads rows, arrays in an array, as a table with those columns: name
// and type, in turns.
func mysqlList(columns ...string) string {
	var all []string
	for column := range slices.Chunk(columns, 2) {
		all = append(all, fmt.Sprintf(`%s PATH '$[%d]'`, strings.Join(column, " "), len(all)))
	}
	return `JSON_TABLE(?, '$[*]' COLUMNS (` + strings.Join(all, `, `) + `)) AS list`
}

// mysqlFits says what no column has room for. What a service accepts is shorter
// by far; a feed may hold anything, and trying again would not help.
func mysqlFits(e event.Envelope) error {
	const idMax = 255
	for _, one := range []struct{ what, text string }{{"account id", e.Stream}, {"event id", e.ID}} {
		if n := utf8.RuneCountInString(one.text); n > idMax {
			return fmt.Errorf("its %s has %d characters, and there is room for %d", one.what, n, idMax)
		}
	}
	return nil
}
