package notify

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"passbook/es/projection"
)

// queue is the pending notifications of one channel. Several processes may take
// from it: what one has claimed is nobody else's before the claim's time is up.
type queue struct {
	store   projection.Store[*sql.Tx]
	sql     statements
	channel string
	// holder begins every claim. No two processes that run have the same.
	holder string
	// lease is for how long a claim holds. It is longer than any attempt takes.
	lease time.Duration
	now   clock
}

// job is a claimed notification: its attempt is counted already.
type job struct {
	Notification
	attempts int64
	created  time.Time
	claim    string
	// claimed is when the claim was committed, by the clock of this process.
	claimed time.Time
}

// exchange settles outcomes and claims up to room notifications, in one
// transaction, and returns when it is worth to come again, if nobody wakes the
// caller before. Without outcomes and without anything due it writes nothing. If
// it fails, the outcomes are to be given to it again.
func (q *queue) exchange(ctx context.Context, outcomes []outcome, room int) (jobs []job, done []settled, wait time.Duration, err error) {
	if len(outcomes) == 0 {
		wait, err = q.wait(ctx)
		if err != nil || wait > 0 || room == 0 {
			return nil, nil, wait, err
		}
	}
	err = q.store.Update(ctx, func(tx *sql.Tx) error {
		jobs, done = nil, nil
		now, err := q.now(ctx, tx)
		if err != nil {
			return err
		}
		if done, err = q.settle(ctx, tx, outcomes, now); err != nil {
			return err
		}
		if jobs, err = q.claim(ctx, tx, room, now); err != nil {
			return err
		}
		wait, err = q.untilDue(ctx, tx, now)
		return err
	})
	if err != nil {
		return nil, nil, 0, fmt.Errorf("notification DB: %w", err)
	}
	return jobs, done, wait, nil
}

// never is a wait for something that is not there.
const never = time.Duration(1<<63 - 1)

// wait returns in how long something of the channel is due.
func (q *queue) wait(ctx context.Context) (wait time.Duration, err error) {
	err = q.store.View(ctx, func(tx *sql.Tx) error {
		now, err := q.now(ctx, tx)
		if err == nil {
			wait, err = q.untilDue(ctx, tx, now)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("notification DB: %w", err)
	}
	return wait, nil
}

func (q *queue) untilDue(ctx context.Context, tx *sql.Tx, now time.Time) (time.Duration, error) {
	var due sql.NullInt64
	if err := tx.QueryRowContext(ctx, q.sql.nextDue, q.channel).Scan(&due); err != nil {
		return 0, err
	}
	if !due.Valid {
		return never, nil
	}
	return max(0, moment(due.Int64).Sub(now)), nil
}

// free gives up the claims of an earlier process of the same holder: its attempts
// have no outcome and never will, and nobody has to wait until their time is up.
func (q *queue) free(ctx context.Context) error {
	err := q.store.Update(ctx, func(tx *sql.Tx) error {
		now, err := q.now(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, q.sql.freeLanes, now.UnixMicro(), q.channel, q.holder+"/", q.holder+"0") // 0 follows /
		return err
	})
	if err != nil {
		return fmt.Errorf("notification DB: %w", err)
	}
	return nil
}
