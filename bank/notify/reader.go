package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"passbook/es/projection"
)

// State is what has become of a notification.
type State string

// The states, as they are stored. Only one that is pending ever changes.
const (
	StatePending State = "pending"
	StateSent    State = "sent"
	StateFailed  State = "failed"
)

// ErrUnavailable is wrapped by every error that comes from the database or the
// way to it: asking again may help.
var ErrUnavailable = errors.New(databaseSilent)

const databaseSilent = "the notification DB does not answer"

// record is a notification as it is stored.
type record struct {
	ID, EventID, AccountID string
	Kind                   Kind
	Channel                string
	State                  State
	// Attempts that were begun.
	Attempts int64
	// Error is that of the last attempt, in one line; empty for one that was sent.
	Error string
	// UpdatedAt is when the last attempt began or ended, or when the notification
	// was recorded, in UTC.
	UpdatedAt time.Time

	seq int64
}

// Reader lists notifications. Safe for concurrent use.
type Reader struct {
	store projection.Store[*sql.Tx]
	sql   statements
}

// NewReader returns a reader of the notification DB, whose tables Migrate has made.
func NewReader(store projection.Store[*sql.Tx], dialect Dialect) (*Reader, error) {
	statements, err := dialect.statements()
	if err != nil {
		return nil, err
	}
	return &Reader{store: store, sql: statements}, nil
}

// filter says which notifications are listed; empty members stand for any.
type filter struct {
	AccountID string
	State     State
}

// list returns notifications, the newest first, limit at most, of those recorded
// before the one with sequence number below; 0 stands for the end.
func (r *Reader) list(ctx context.Context, f filter, below int64, limit int) (records []record, err error) {
	if below == 0 {
		below = math.MaxInt64
	}
	statement, args := r.sql.listAll, []any{}
	switch {
	case f.AccountID != "" && f.State != "":
		statement, args = r.sql.listByBoth, []any{f.AccountID, string(f.State)}
	case f.AccountID != "":
		statement, args = r.sql.listByAccount, []any{f.AccountID}
	case f.State != "":
		statement, args = r.sql.listByState, []any{string(f.State)}
	}
	err = r.store.View(ctx, func(tx *sql.Tx) error {
		return eachRow(ctx, tx, statement, append(args, below, limit), func(row row) error {
			var one record
			var updated int64
			err := row.Scan(&one.seq, &one.ID, &one.EventID, &one.AccountID, &one.Kind, &one.Channel, &one.State,
				&one.Attempts, &one.Error, &updated)
			one.UpdatedAt = moment(updated)
			records = append(records, one)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w: %w", ErrUnavailable, err)
	}
	return records, nil
}
