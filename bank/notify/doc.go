// Package notify tells customers what happened to their accounts. Events flow in
// from the feed through a projection, which records one notification for each
// event and channel; messages flow out through the channels: a line in the log, a
// signed webhook, mail, text messages. An API shows what became of each.
//
// Recording is effectively once: notification, stream head and checkpoint change
// in one transaction, and (event, channel) is unique. Sending is at least once:
// that an attempt begins is committed before it does, its outcome after it. An
// attempt without an outcome is repeated with the same notification id, which the
// channel gets as its idempotency key. Only there can a doubled message arise.
//
// Notifications of one account leave each channel in the order of its events:
// one that cannot be sent is tried again with growing pauses, the account's
// later ones wait behind it, and after a day it is given up as failed. Accounts
// do not wait for each other, and neither do channels.
//
// Nobody is notified of what was there before: of events that happened before the
// database was made, or are marked as imported. What was known to this database
// is not recorded again, whatever becomes of the topic or of the event store.
//
// Sent notifications are kept for ever: about 1 kB each with its indexes.
//
//	migrate.go          dialects, and the tables of each; migrations/ has them as SQL
//	sqlite.go           what statements there are, and those for SQLite
//	mysql.go            those for MySQL
//	message.go          what happened, as data and as a sentence
//	model.go            the gate's questions, and a batch from events to notifications
//	clock.go            whose time it is
//	record.go           accounts, events and notifications into the tables
//	start.go            from where on events are notified
//	consumer.go         stands between bus and projection: the start before, a wake-up after
//	forget.go           a new history of the event store
//	queue.go            which notifications are due; claim.go takes them, settle.go keeps outcomes
//	sender.go           Run of one channel
//	backoff.go          pauses between attempts, and when to give up
//	channel.go          what a channel is
//	channel_*.go        the four that there are; mail.go is the text of a mail
//	http.go             what the two over HTTP share
//	settings.go         channels from settings
//	service.go          Config, New, Run, readiness
//	metrics.go          figures
//	reader.go           lists of notifications
//	api.go              the HTTP API; list_notifications.go its one route
package notify

//go:generate go test -count=1 -run ^TestDocument_IsCurrent$ . -update
