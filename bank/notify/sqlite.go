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
	// What writes many rows takes a JSON array of them: [account, version, event
	// id, position]; [account, version, event id, holder, phone, email, balance,
	// currency]; the same with the version that the row must have; [channel,
	// account, due_us]; [id, event id, position, account, kind, channel, address,
	// message, time]. Rows that are there already stay as they are, and are not
	// counted; but insertLanes locks them, ascending as they are given.
	insertEvents, insertAccounts, updateAccounts string
	insertLanes, insertNotifications             string

	// nextDue gives when the first lane of a channel is due, or NULL. dueLanes
	// takes channel, time and limit, and locks what it gives. firsts takes a JSON
	// array of accounts and a channel, and gives the first pending notification of
	// each that has one.
	nextDue, dueLanes, firsts string
	// lockLanes takes a JSON array of accounts, ascending, and a channel: it locks
	// the lanes that are there, in that order, and gives their claims.
	lockLanes string
	// claimLanes takes a JSON array of accounts, channel, due_us and claim;
	// releaseLanes one of [account, claim that must still hold, due_us] and a
	// channel; dropLanes one of [account, claim] and a channel.
	claimLanes, releaseLanes, dropLanes string
	// freeLanes takes due_us, a channel, and the bounds of claims, the first
	// included.
	freeLanes string
	// aheadMax is how many notifications are claimed and settled together at most.
	aheadMax int
	// startAttempts takes a JSON array of seqs, and a time. settle takes one of
	// [id, state, error], and a time, and changes pending ones only.
	startAttempts, settle string

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

		insertEvents: `INSERT INTO notify_event (account_id, version, event_id, position)
		SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
		insertAccounts: `INSERT INTO notify_account (account_id, version, event_id, holder, phone, email, balance, currency)
		SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
		FROM json_each(?) WHERE TRUE ON CONFLICT (account_id) DO NOTHING`,
		updateAccounts: `UPDATE notify_account SET version = k.value ->> 1, event_id = k.value ->> 2, holder = k.value ->> 3,
			phone = k.value ->> 4, email = k.value ->> 5, balance = k.value ->> 6, currency = k.value ->> 7
		FROM json_each(?) AS k WHERE account_id = k.value ->> 0 AND version = k.value ->> 8`,
		insertLanes: `INSERT INTO notify_lane (channel, account_id, due_us, claim)
		SELECT value ->> 0, value ->> 1, value ->> 2, '' FROM json_each(?) WHERE TRUE ON CONFLICT (channel, account_id) DO NOTHING`,
		insertNotifications: `INSERT INTO notification
		(id, event_id, position, account_id, kind, channel, address, message, state, attempts, error, created_us, updated_us)
		SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
			'pending', 0, '', value ->> 8, value ->> 8 FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING`,

		aheadMax: sendersMax, // releaseLanes and settle cost the square of their lists' lengths
		nextDue:  `SELECT min(due_us) FROM notify_lane WHERE channel = ?`,
		dueLanes: `SELECT account_id FROM notify_lane WHERE channel = ? AND due_us <= ? ORDER BY due_us LIMIT ?`,
		firsts: `SELECT n.account_id, n.seq, n.id, n.address, n.message, n.attempts, n.created_us
		FROM json_each(?1) AS k CROSS JOIN notification AS n ON n.seq = (
			SELECT min(p.seq) FROM notification AS p WHERE p.channel = ?2 AND p.account_id = k.value AND p.state = 'pending')`,
		lockLanes: `SELECT account_id, claim FROM json_each(?1) AS k CROSS JOIN notify_lane ON channel = ?2 AND account_id = k.value`,
		claimLanes: `UPDATE notify_lane SET due_us = ?3, claim = ?4
		WHERE channel = ?2 AND account_id IN (SELECT value FROM json_each(?1))`,
		releaseLanes: `UPDATE notify_lane SET due_us = k.value ->> 2, claim = ''
		FROM json_each(?1) AS k WHERE channel = ?2 AND account_id = k.value ->> 0 AND claim = k.value ->> 1
			AND account_id IN (SELECT value ->> 0 FROM json_each(?1))`, // else all lanes of the channel are looked at
		dropLanes: `DELETE FROM notify_lane
		WHERE channel = ?2 AND (account_id, claim) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))`,
		freeLanes: `UPDATE notify_lane SET due_us = ?, claim = '' WHERE channel = ? AND claim >= ? AND claim < ?`,
		startAttempts: `UPDATE notification SET attempts = attempts + 1, updated_us = ?2
		WHERE seq IN (SELECT value FROM json_each(?1))`,
		settle: `UPDATE notification SET state = k.value ->> 1, error = k.value ->> 2, updated_us = ?2
		FROM json_each(?1) AS k WHERE notification.id = k.value ->> 0 AND +state = 'pending'
			AND notification.id IN (SELECT value ->> 0 FROM json_each(?1))`, // and the + rules out the index by state: else all that are pending are

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
