package notify

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// outcome is what became of an attempt.
type outcome struct {
	job
	err error
	// cut: the attempt was ended before it was over, by the end of the service, or
	// was not begun. It is to be made again at once.
	cut bool
}

// settled is what an outcome came to.
type settled struct {
	state State
	error string
}

// settle keeps the outcomes of attempts and lets their lanes go on, or go where
// nothing is left in them. What was sent is sent, even if the claim was lost
// meanwhile; any other outcome is then for the one who has it now to tell.
func (q *queue) settle(ctx context.Context, tx *sql.Tx, outcomes []outcome, now time.Time) (all []settled, err error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	claims, err := q.lockLanes(ctx, tx, outcomes)
	if err != nil {
		return nil, err
	}
	told := make(map[string]settled) // by notification
	var ended []string               // lanes whose first notification is through
	var left rows
	for _, o := range outcomes {
		done, pause := judge(o, now)
		isOurs := claims[o.AccountID] == o.claim
		switch {
		case isOurs && done.state == StatePending:
			left = append(left, []any{o.AccountID, o.claim, now.Add(pause).UnixMicro()})
		case isOurs:
			ended = append(ended, o.AccountID)
		case done.state != StateSent:
			all = append(all, settled{state: StatePending, error: done.error})
			continue
		}
		all = append(all, done)
		// Of two attempts, one of which has outlived its claim, the one counts that
		// has got through.
		if told[o.ID].state != StateSent {
			told[o.ID] = done
		}
	}
	var kept rows
	for id, done := range told {
		kept = append(kept, []any{id, string(done.state), done.error})
	}
	if err := q.keep(ctx, tx, kept, left, now); err != nil {
		return nil, err
	}
	return all, q.leave(ctx, tx, ended, claims, now)
}

// lockLanes locks the lanes of outcomes, ascending and before anything else, as
// those do who record: otherwise one of the two could hold what the other waits
// for, and the other way round. It returns their claims.
func (q *queue) lockLanes(ctx context.Context, tx *sql.Tx, outcomes []outcome) (claims map[string]string, err error) {
	var accounts []string
	for _, o := range outcomes {
		accounts = append(accounts, o.AccountID)
	}
	slices.Sort(accounts)
	claims = make(map[string]string, len(accounts))
	err = each(ctx, tx, q.sql.lockLanes, slices.Compact(accounts), func(r row) error {
		var id, claim string
		err := r.Scan(&id, &claim)
		claims[id] = claim
		return err
	}, q.channel)
	return claims, err
}

// leave lets lanes of ours go on at once, or go if nothing is left in them: that
// nobody else is about to put something there, their locks see to.
func (q *queue) leave(ctx context.Context, tx *sql.Tx, accounts []string, claims map[string]string, now time.Time) error {
	firsts, err := q.firsts(ctx, tx, accounts)
	if err != nil {
		return err
	}
	var left, empty rows
	for _, id := range accounts {
		if _, ok := firsts[id]; ok {
			left = append(left, []any{id, claims[id], now.UnixMicro()})
		} else {
			empty = append(empty, []any{id, claims[id]})
		}
	}
	if _, err := exec(ctx, tx, q.sql.releaseLanes, left, q.channel); err != nil {
		return err
	}
	_, err = exec(ctx, tx, q.sql.dropLanes, empty, q.channel)
	return err
}

// keep enters what has become of notifications, and until when lanes are left
// alone.
func (q *queue) keep(ctx context.Context, tx *sql.Tx, notifications, lanes rows, now time.Time) error {
	if _, err := exec(ctx, tx, q.sql.settle, notifications, now.UnixMicro()); err != nil {
		return err
	}
	_, err := exec(ctx, tx, q.sql.releaseLanes, lanes, q.channel)
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
