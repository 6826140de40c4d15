package notify

import (
	"context"
	"crypto/tls"
	"database/sql"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
)

// SetClock has the service go by another clock than the database's.
func (s *Service) SetClock(now func() time.Time) {
	s.model.now = func(context.Context, *sql.Tx) (time.Time, error) { return now(), nil }
	for _, one := range s.senders {
		one.queue.now = s.model.now
	}
}

// SetAheadMax has the senders claim up to n notifications together, as on MySQL.
func (s *Service) SetAheadMax(n int) {
	for _, one := range s.senders {
		one.queue.sql.aheadMax = n
	}
}

// SetRoots has a mail channel trust other authorities than the system does.
func SetRoots(c Channel, config *tls.Config) { c.(*smtpChannel).roots = config }

// NotificationID is notificationID.
func NotificationID(eventID, channel string) string { return notificationID(eventID, channel) }

// PauseAfter is pauseAfter.
func PauseAfter(attempts int64) time.Duration { return pauseAfter(attempts) }

// ErrorText is errorText.
func ErrorText(err error) string { return errorText(err) }

// Apply gives events to a model, in one transaction and without a gate.
func Apply(store projection.Store[*sql.Tx], dialect Dialect, channels []Channel, events ...event.Envelope) error {
	model, err := newModel(dialect, channels)
	if err != nil {
		return err
	}
	return store.Update(context.Background(), func(tx *sql.Tx) error {
		return model.Apply(context.Background(), tx, events)
	})
}

// Sign is how a webhook with that secret signs.
func Sign(secret, id, timestamp, body string) (string, error) {
	key, err := parseWebhookSecret(secret)
	return (&webhook{secret: key}).sign(id, timestamp, []byte(body)), err
}

// SetStart has a database that knows no feed notify everything.
func SetStart(store projection.Store[*sql.Tx], dialect Dialect) error {
	statements, err := dialect.statements()
	if err != nil {
		return err
	}
	s := starter{store: store, sql: statements, fromBeginning: true}
	return s.ensure(context.Background(), bus.Topic{})
}

// Statements are those that are run again and again, with what they are for.
func Statements(dialect Dialect) map[string]string {
	s, err := dialect.statements()
	if err != nil {
		panic(err) // tests name dialects that there are
	}
	return map[string]string{
		"heads": s.heads, "accounts": s.accounts, "eventIDs": s.eventIDs, "known": s.known,
		"nextDue": s.nextDue, "dueLanes": s.dueLanes, "firsts": s.firsts, "lockLanes": s.lockLanes,
		"claimLanes": s.claimLanes, "releaseLanes": s.releaseLanes, "dropLanes": s.dropLanes,
		"startAttempts": s.startAttempts, "settle": s.settle, "updateAccounts": s.updateAccounts,
		"listAll": s.listAll, "listByAccount": s.listByAccount, "listByState": s.listByState, "listByBoth": s.listByBoth,
		"pending": s.pending,
	}
}

// Claim takes what is due on a channel, and returns how many notifications it got.
func Claim(ctx context.Context, tx *sql.Tx, dialect Dialect, channel, holder string, room int) (int, error) {
	all, err := Attempts(ctx, tx, dialect, channel, holder, room)
	return len(all), err
}

// Attempt is one that was begun; it was a success unless Failed says otherwise.
type Attempt struct{ outcome outcome }

// ID is the notification's.
func (a Attempt) ID() string { return a.outcome.ID }

// Failed returns the attempt as one that came to an error.
func (a Attempt) Failed(err error) Attempt {
	a.outcome.err = err
	return a
}

func testQueue(dialect Dialect, channel, holder string) (*queue, error) {
	statements, err := dialect.statements()
	return &queue{sql: statements, channel: channel, holder: holder, lease: time.Minute, now: statements.clock()}, err
}

// Attempts takes what is due on a channel.
func Attempts(ctx context.Context, tx *sql.Tx, dialect Dialect, channel, holder string, room int) ([]Attempt, error) {
	q, err := testQueue(dialect, channel, holder)
	if err != nil {
		return nil, err
	}
	now, err := q.now(ctx, tx)
	if err != nil {
		return nil, err
	}
	jobs, err := q.claim(ctx, tx, room, now)
	var all []Attempt
	for _, j := range jobs {
		all = append(all, Attempt{outcome{job: j}})
	}
	return all, err
}

// Settle keeps what became of attempts.
func Settle(ctx context.Context, tx *sql.Tx, dialect Dialect, channel string, all ...Attempt) error {
	q, err := testQueue(dialect, channel, "")
	if err != nil {
		return err
	}
	now, err := q.now(ctx, tx)
	if err != nil {
		return err
	}
	var outcomes []outcome
	for _, a := range all {
		outcomes = append(outcomes, a.outcome)
	}
	_, err = q.settle(ctx, tx, outcomes, now)
	return err
}
