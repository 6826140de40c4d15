package notify

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"time"
)

// claim takes the first notification of each lane that is due, up to room of
// them, and counts the attempts before they are made. A lane without any goes.
func (q *queue) claim(ctx context.Context, tx *sql.Tx, room int, now time.Time) ([]job, error) {
	var accounts []string
	err := eachRow(ctx, tx, q.sql.dueLanes, []any{q.channel, now.UnixMicro(), room}, func(r row) error {
		var id string
		err := r.Scan(&id)
		accounts = append(accounts, id)
		return err
	})
	if err != nil || len(accounts) == 0 {
		return nil, err
	}
	claim := q.holder + "/" + rand.Text()
	if _, err := exec(ctx, tx, q.sql.claimLanes, accounts, q.channel, now.Add(q.lease).UnixMicro(), claim); err != nil {
		return nil, err
	}
	firsts, err := q.firsts(ctx, tx, accounts)
	if err != nil {
		return nil, err
	}
	var jobs []job
	var begun []int64
	var unreadable, left, empty rows
	for _, id := range accounts {
		first, ok := firsts[id]
		j := job{attempts: first.attempts + 1, created: moment(first.createdMicros), claim: claim}
		switch {
		case !ok:
			empty = append(empty, []any{id, claim})
		case json.Unmarshal([]byte(first.message), &j.Message) != nil:
			// It holds up nobody: its lane has something else or nothing the next time.
			unreadable = append(unreadable, []any{first.id, string(StateFailed), "its message was changed from outside and cannot be read"})
			left = append(left, []any{id, claim, now.UnixMicro()})
		default:
			j.ID, j.Address, j.AccountID = first.id, first.address, id
			jobs, begun = append(jobs, j), append(begun, first.seq)
		}
	}
	if err := q.keep(ctx, tx, unreadable, left, now); err != nil {
		return nil, err
	}
	if _, err := exec(ctx, tx, q.sql.dropLanes, empty, q.channel); err != nil {
		return nil, err
	}
	_, err = exec(ctx, tx, q.sql.startAttempts, begun, now.UnixMicro())
	return jobs, err
}

// first is the first pending notification of a lane.
type first struct {
	seq, attempts, createdMicros int64
	id, address, message         string
}

// firsts returns those of the accounts' lanes, as far as there are any.
func (q *queue) firsts(ctx context.Context, tx *sql.Tx, accounts []string) (map[string]first, error) {
	found := make(map[string]first, len(accounts))
	if len(accounts) == 0 {
		return found, nil
	}
	err := each(ctx, tx, q.sql.firsts, accounts, func(r row) error {
		var id string
		var f first
		err := r.Scan(&id, &f.seq, &f.id, &f.address, &f.message, &f.attempts, &f.createdMicros)
		found[id] = f
		return err
	}, q.channel)
	return found, err
}
