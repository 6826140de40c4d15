package notify

import (
	"fmt"
	"unicode/utf8"

	"passbook/es/event"
)

// mysqlStatements: JSON_TABLE reads an array as rows, and each is looked up by
// primary key; STRAIGHT_JOIN begins with its left side.
//
// Several processes are at work. Who records locks the lanes that it wants to be
// there, so that none of them is dropped by one who did not see yet what was
// recorded; who claims passes over lanes that another has locked, whoever that
// is: they are looked at again soon.
func mysqlStatements() statements {
	const collate = ` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin`
	const ids = `JSON_TABLE(?, '$[*]' COLUMNS (k VARCHAR(255)` + collate + ` PATH '$')) AS list`
	s := sqliteStatements()

	s.now = `SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)`

	s.heads = `SELECT account_id, version, event_id FROM ` + ids + ` STRAIGHT_JOIN notify_account ON account_id = k`
	s.accounts = `SELECT account_id, version, holder, phone, email, balance, currency
		FROM ` + ids + ` STRAIGHT_JOIN notify_account ON account_id = k`
	s.eventIDs = `SELECT account_id, version, event_id
		FROM JSON_TABLE(?, '$[*]' COLUMNS (k VARCHAR(255)` + collate + ` PATH '$[0]', v BIGINT PATH '$[1]')) AS list
		STRAIGHT_JOIN notify_event ON account_id = k AND version = v`
	s.known = `SELECT event_id FROM ` + ids + ` STRAIGHT_JOIN notify_known_event ON event_id = k`

	// A row that is there stays as it is, and is not counted, but is locked.
	s.insertAccount = `INSERT INTO notify_account (version, event_id, holder, phone, email, balance, currency, account_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE version = notify_account.version`
	s.insertLane = `INSERT INTO notify_lane (channel, account_id, due_us, claim) VALUES (?, ?, ?, '')
		ON DUPLICATE KEY UPDATE claim = notify_lane.claim`
	s.insertNotification = `INSERT INTO notification
		(id, event_id, position, account_id, kind, channel, address, message, state, attempts, error, created_us, updated_us)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, '', ?, ?) ON DUPLICATE KEY UPDATE state = notification.state`

	s.lockLane = `SELECT claim FROM notify_lane WHERE channel = ? AND account_id = ? FOR UPDATE`
	s.dueLanes = `SELECT account_id FROM notify_lane FORCE INDEX (by_due) WHERE channel = ? AND due_us <= ?
		ORDER BY due_us LIMIT ? FOR UPDATE SKIP LOCKED`
	s.first = `SELECT seq, id, address, message, attempts, created_us FROM notification FORCE INDEX (by_state_of_a_channel)
		WHERE channel = ? AND account_id = ? AND state = 'pending' ORDER BY seq LIMIT 1`
	list := func(index, condition string) string {
		return `SELECT ` + notificationColumns + ` FROM notification FORCE INDEX (` + index + `) WHERE ` + condition +
			`seq < ? ORDER BY seq DESC LIMIT ?`
	}
	s.listAll = list(`PRIMARY`, ``)
	s.listByAccount = list(`by_account`, `account_id = ? AND `)
	s.listByState = list(`by_state`, `state = ? AND `)
	s.listByBoth = list(`by_account_state`, `account_id = ? AND state = ? AND `)
	s.pending = `SELECT channel, count(*), min(created_us) FROM notification FORCE INDEX (by_state_of_a_channel)
		WHERE state = 'pending' GROUP BY channel`

	s.rememberEvents = `INSERT INTO notify_known_event (event_id)
		SELECT event_id FROM notify_event WHERE position > (SELECT coalesce(start_position, 0) FROM notify_state)
		ON DUPLICATE KEY UPDATE event_id = notify_known_event.event_id`
	s.lowerStart = `UPDATE notify_state SET start_position = least(start_position, ?)`
	s.fits = mysqlFits
	return s
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
