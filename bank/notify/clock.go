package notify

import (
	"context"
	"database/sql"
	"time"
)

// clock tells the time in a transaction. It is the database's: instances that
// share one agree on what is due and whose claim has run out, whatever their own
// clocks say.
type clock func(ctx context.Context, tx *sql.Tx) (time.Time, error)

// clock returns the database's.
func (s statements) clock() clock {
	return func(ctx context.Context, tx *sql.Tx) (time.Time, error) {
		var micros int64
		err := tx.QueryRowContext(ctx, s.now).Scan(&micros)
		return moment(micros), err
	}
}

// moment is a time as the tables keep it.
func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
