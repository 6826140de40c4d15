package notify

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
}

// outcome is what became of an attempt.
type outcome struct {
	job
	err error
	// cut: the attempt was ended before it was over, by the end of the service. It
	// is to be made again at once.
	cut bool
}

// settled is what an outcome came to.
type settled struct {
	state State
	error string
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
		if err := q.lockLanes(ctx, tx, outcomes); err != nil {
			return err
		}
		for _, o := range outcomes {
			one, err := q.settle(ctx, tx, o, now)
			if err != nil {
				return err
			}
			done = append(done, one)
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

// claim takes the first notification of each lane that is due.
func (q *queue) claim(ctx context.Context, tx *sql.Tx, room int, now time.Time) ([]job, error) {
	var accounts []string
	err := eachRow(ctx, tx, q.sql.dueLanes, []any{q.channel, now.UnixMicro(), room}, func(r row) error {
		var id string
		err := r.Scan(&id)
		accounts = append(accounts, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, id := range accounts {
		j, err := q.claimLane(ctx, tx, id, now)
		switch {
		case errors.Is(err, sql.ErrNoRows): // nothing is left in it
		case err != nil:
			return nil, err
		default:
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// claimLane takes the first notification of a lane, and counts the attempt before
// it is made. Without one the lane goes, and the error is sql.ErrNoRows.
func (q *queue) claimLane(ctx context.Context, tx *sql.Tx, accountID string, now time.Time) (job, error) {
	j := job{claim: q.holder + "/" + rand.Text()}
	if _, err := tx.ExecContext(ctx, q.sql.claimLane, now.Add(q.lease).UnixMicro(), j.claim, q.channel, accountID); err != nil {
		return j, err
	}
	var seq, created int64
	var message string
	err := tx.QueryRowContext(ctx, q.sql.first, q.channel, accountID).Scan(&seq, &j.ID, &j.Address, &message, &j.attempts, &created)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := tx.ExecContext(ctx, q.sql.dropLane, q.channel, accountID, j.claim); err != nil {
			return j, err
		}
		return j, sql.ErrNoRows
	}
	if err != nil {
		return j, err
	}
	if json.Unmarshal([]byte(message), &j.Message) != nil {
		return j, q.skip(ctx, tx, j, accountID, now)
	}
	j.AccountID = accountID
	j.attempts++
	j.created = moment(created)
	_, err = tx.ExecContext(ctx, q.sql.startAttempt, now.UnixMicro(), seq)
	return j, err
}

// skip fails a notification that cannot be read, so that it holds up nobody, and
// returns sql.ErrNoRows: its lane has something else or nothing the next time.
func (q *queue) skip(ctx context.Context, tx *sql.Tx, j job, accountID string, now time.Time) error {
	const reason = "its message was changed from outside and cannot be read"
	if _, err := tx.ExecContext(ctx, q.sql.settle, string(StateFailed), reason, now.UnixMicro(), j.ID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, q.sql.releaseLane, now.UnixMicro(), q.channel, accountID, j.claim); err != nil {
		return err
	}
	return sql.ErrNoRows
}

// lockLanes locks the lanes of outcomes, ascending and before anything else, as
// those do who record: otherwise one of the two could hold what the other waits
// for, and the other way round.
func (q *queue) lockLanes(ctx context.Context, tx *sql.Tx, outcomes []outcome) error {
	if q.sql.lockLane == "" {
		return nil
	}
	var accounts []string
	for _, o := range outcomes {
		accounts = append(accounts, o.AccountID)
	}
	slices.Sort(accounts)
	for _, id := range slices.Compact(accounts) {
		if _, err := tx.ExecContext(ctx, q.sql.lockLane, q.channel, id); err != nil {
			return err
		}
	}
	return nil
}

// settle keeps the outcome of an attempt and lets its lane go on. What was sent is
// sent, even if the claim was lost meanwhile; any other outcome is then for the
// one who has it now to tell.
func (q *queue) settle(ctx context.Context, tx *sql.Tx, o outcome, now time.Time) (settled, error) {
	done, pause := judge(o, now)
	if done.state == StateSent {
		if err := q.keep(ctx, tx, o, done, now); err != nil {
			return done, err
		}
	}
	result, err := tx.ExecContext(ctx, q.sql.releaseLane, now.Add(pause).UnixMicro(), q.channel, o.AccountID, o.claim)
	if err != nil {
		return done, err
	}
	isOurs, err := result.RowsAffected()
	switch {
	case err != nil || done.state == StateSent:
		return done, err
	case isOurs == 0:
		return settled{state: StatePending, error: done.error}, nil
	}
	return done, q.keep(ctx, tx, o, done, now)
}

func (q *queue) keep(ctx context.Context, tx *sql.Tx, o outcome, done settled, now time.Time) error {
	_, err := tx.ExecContext(ctx, q.sql.settle, string(done.state), done.error, now.UnixMicro(), o.ID)
	return err
}

// judge says what an outcome comes to, and when the lane may go on.
func judge(o outcome, now time.Time) (done settled, pause time.Duration) {
	switch {
	case o.err == nil:
		return settled{state: StateSent}, 0
	case o.cut:
		return settled{state: StatePending, error: errorText(o.err)}, 0
	case errors.Is(o.err, ErrRefused), givesUp(o.attempts, now.Sub(o.created)):
		return settled{state: StateFailed, error: errorText(o.err)}, 0
	}
	return settled{state: StatePending, error: errorText(o.err)}, pauseAfter(o.attempts)
}
