package notify

import "passbook/es/event"

// statements is everything that is asked of a database, in its dialect. Lists
// of any length come as one parameter, a JSON array, so that a statement is
// always the same.
type statements struct {
	// fits says why an event cannot be recorded, ever. Nil: all can.
	fits func(e event.Envelope) error

	// now gives the database's time in microseconds since 1970, UTC.
	now string

	// state gives start_us and start_position; setStart takes both, and changes
	// nothing once there is a position.
	state, setStart string

	// heads and accounts take a JSON array of ids, eventIDs one of pairs
	// [id, version], known one of event ids.
	heads, accounts, eventIDs, known string
	// An account that is new inserts its row, unless there is one; one that is
	// there changes it, if it has the version that the last parameter names.
	insertAccount, updateAccount, insertEvent string
	// insertLane and insertNotification leave alone what is there already. They
	// are run in this order, lanes ascending, which is that of settling too.
	insertLane, insertNotification string

	// nextDue gives when the first lane of a channel is due, or NULL. dueLanes
	// takes channel, time and limit, and locks what it gives; first gives the
	// first pending notification of a lane.
	nextDue, dueLanes, first string
	// lockLane takes a lane, and locks it if it is there. Empty: nobody else is at
	// work.
	lockLane string
	// claimLane takes due_us, claim and the lane; releaseLane due_us, the lane
	// and the claim that must still hold; dropLane the lane and the claim.
	claimLane, releaseLane, dropLane string
	// freeLanes takes due_us, a channel, and the bounds of claims, the first
	// included.
	freeLanes string
	// startAttempt takes time and seq. settle takes state, error, time and id,
	// and changes pending ones only.
	startAttempt, settle string

	// The lists take what they are by, account before state; the seq that they go
	// on below; and a limit.
	listAll, listByAccount, listByState, listByBoth string
	// pending counts by channel, and tells since when the oldest waits.
	pending string

	// What a new history changes: see Forget. lowerStart takes the store's head,
	// loseEvents an error, the time and the head.
	rememberEvents, clearEvents, clearAccounts, lowerStart, loseEvents string
}

const notificationColumns = `seq, id, event_id, account_id, kind, channel, state, attempts, error, updated_us`

// sqliteStatements: json_each reads an array as rows, and each is looked up by
// primary key; CROSS JOIN begins with its left side. Locks need no words: there
// is one transaction at a time that may write.
func sqliteStatements() statements {
	list := func(condition string) string {
		return `SELECT ` + notificationColumns + ` FROM notification WHERE ` + condition + `seq < ? ORDER BY seq DESC LIMIT ?`
	}
	return statements{
		now: `SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)`,

		state:    `SELECT start_us, start_position FROM notify_state`,
		setStart: `UPDATE notify_state SET start_us = ?, start_position = ? WHERE start_position IS NULL`,

		heads: `SELECT account_id, version, event_id FROM notify_account WHERE account_id IN (SELECT value FROM json_each(?))`,
		accounts: `SELECT account_id, version, holder, phone, email, balance, currency
		FROM notify_account WHERE account_id IN (SELECT value FROM json_each(?))`,
		eventIDs: `SELECT e.account_id, e.version, e.event_id
		FROM json_each(?) AS k CROSS JOIN notify_event AS e ON e.account_id = k.value ->> 0 AND e.version = k.value ->> 1`,
		known: `SELECT event_id FROM notify_known_event WHERE event_id IN (SELECT value FROM json_each(?))`,

		insertAccount: `INSERT INTO notify_account (version, event_id, holder, phone, email, balance, currency, account_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id) DO NOTHING`,
		updateAccount: `UPDATE notify_account SET version = ?, event_id = ?, holder = ?, phone = ?, email = ?, balance = ?, currency = ?
		WHERE account_id = ? AND version = ?`,
		insertEvent: `INSERT INTO notify_event (account_id, version, event_id, position) VALUES (?, ?, ?, ?)`,
		insertLane: `INSERT INTO notify_lane (channel, account_id, due_us, claim) VALUES (?, ?, ?, '')
		ON CONFLICT (channel, account_id) DO NOTHING`,
		insertNotification: `INSERT INTO notification
		(id, event_id, position, account_id, kind, channel, address, message, state, attempts, error, created_us, updated_us)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, '', ?, ?) ON CONFLICT DO NOTHING`,

		nextDue:  `SELECT min(due_us) FROM notify_lane WHERE channel = ?`,
		dueLanes: `SELECT account_id FROM notify_lane WHERE channel = ? AND due_us <= ? ORDER BY due_us LIMIT ?`,
		first: `SELECT seq, id, address, message, attempts, created_us FROM notification
		WHERE channel = ? AND account_id = ? AND state = 'pending' ORDER BY seq LIMIT 1`,
		claimLane:    `UPDATE notify_lane SET due_us = ?, claim = ? WHERE channel = ? AND account_id = ?`,
		releaseLane:  `UPDATE notify_lane SET due_us = ?, claim = '' WHERE channel = ? AND account_id = ? AND claim = ?`,
		freeLanes:    `UPDATE notify_lane SET due_us = ?, claim = '' WHERE channel = ? AND claim >= ? AND claim < ?`,
		dropLane:     `DELETE FROM notify_lane WHERE channel = ? AND account_id = ? AND claim = ?`,
		startAttempt: `UPDATE notification SET attempts = attempts + 1, updated_us = ? WHERE seq = ?`,
		settle:       `UPDATE notification SET state = ?, error = ?, updated_us = ? WHERE id = ? AND state = 'pending'`,

		listAll:       list(``),
		listByAccount: list(`account_id = ? AND `),
		listByState:   list(`state = ? AND `),
		listByBoth:    list(`account_id = ? AND state = ? AND `),
		pending: `SELECT channel, count(*), min(created_us) FROM notification INDEXED BY notification_pending
		WHERE state = 'pending' GROUP BY channel`,

		rememberEvents: `INSERT INTO notify_known_event (event_id)
		SELECT event_id FROM notify_event WHERE position > (SELECT coalesce(start_position, 0) FROM notify_state)
		ON CONFLICT DO NOTHING`,
		clearEvents:   `DELETE FROM notify_event`,
		clearAccounts: `DELETE FROM notify_account`,
		lowerStart:    `UPDATE notify_state SET start_position = min(start_position, ?)`,
		loseEvents: `UPDATE notification SET state = 'failed', error = ?, updated_us = ?
		WHERE state = 'pending' AND position > ?`,
	}
}
