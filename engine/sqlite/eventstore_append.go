package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"passbook/es/eventstore"
)

// Append implements eventstore.Engine.
//
// A commit that fails (a full disk, a broken one) leaves open whether it is in
// the file. So the connection is closed and opened again, which settles it, and
// the file is looked at: only if that fails too, the outcome stays open.
func (s *EventStore) Append(
	ctx context.Context, first int64, group []eventstore.Commit,
) ([]eventstore.Outcome, error) {
	if err := s.db.stillThere(); err != nil {
		return nil, fmt.Errorf("%w: %w", eventstore.ErrNotWritten, err)
	}
	outcomes, err := s.attempt(ctx, first, group, false)
	if hasCode(err, sqlite3.SQLITE_CONSTRAINT) {
		// A key or an event id is taken. Which one, a failed statement of many
		// rows does not tell.
		outcomes, err = s.attempt(ctx, first, group, true)
	}
	if _, ok := errors.AsType[*doubtError](err); ok {
		arrived, errLook := s.lookAgain(ctx, group)
		if errLook != nil {
			return nil, fmt.Errorf("%w; and then: %w", err, errLook)
		}
		if arrived {
			return outcomes, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", eventstore.ErrNotWritten, err)
	}
	// Durable is what lies where it is looked for.
	return outcomes, s.db.stillThere()
}

// lookAgain tells whether the transaction whose commit failed is in the file.
// It is there whole or not at all, so its first event tells.
func (s *EventStore) lookAgain(ctx context.Context, group []eventstore.Commit) (arrived bool, err error) {
	if err := s.db.settle(ctx); err != nil {
		return false, err
	}
	for i := range group {
		if len(group[i].Events) > 0 {
			err = s.db.query(ctx, selectArrived, arrivedArgs(&group[i]), func(*sql.Rows) error {
				arrived = true
				return nil
			})
			return arrived, err
		}
	}
	return false, nil
}

func (s *EventStore) attempt(
	ctx context.Context, first int64, group []eventstore.Commit, careful bool,
) ([]eventstore.Outcome, error) {
	a := appending{first: first, next: first, group: group, careful: careful}
	a.outcomes = make([]eventstore.Outcome, len(group))
	err := s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		a.transaction = tx
		return a.run()
	})
	return a.outcomes, err
}

// appending is one group on its way into the file, within one transaction.
type appending struct {
	*transaction
	group    []eventstore.Commit
	outcomes []eventstore.Outcome
	// first is the position that the group is to begin at, next the one that the
	// next commit is to get.
	first, next int64
	// versions are those of the group's streams, as they will be when the
	// commits that were judged good are written.
	versions map[string]int64
	// careful: look up keys and event ids one by one, rather than leave it to
	// the unique indexes to refuse the whole statement.
	careful bool
	ids     map[string]bool
}

func (a *appending) run() (commit bool, err error) {
	head, err := a.number(selectHead)
	if err != nil {
		return false, err
	}
	good := 0
	if a.first == head+1 {
		if good, err = a.judgeFront(); err != nil {
			return false, err
		}
	}
	if good < len(a.group) {
		if err := a.explain(good); err != nil {
			return false, err
		}
	}
	commits := a.group[:good]
	if err := a.insertEvents(commits); err != nil {
		return false, err
	}
	return a.next > a.first, a.insertKeys(commits)
}

// judgeFront returns how many commits can be written, from the front, and says
// of each where, and of the one behind them why not.
func (a *appending) judgeFront() (good int, err error) {
	if a.versions, err = a.readVersions(); err != nil {
		return 0, err
	}
	a.ids = make(map[string]bool)
	for i := range a.group {
		if a.outcomes[i], err = a.judge(i); err != nil {
			return i, err
		}
		if a.outcomes[i].State != eventstore.Written {
			return i, nil
		}
		n := int64(len(a.group[i].Events))
		a.versions[a.group[i].Stream] += n
		a.next += n
	}
	return len(a.group), nil
}

func (a *appending) judge(i int) (eventstore.Outcome, error) {
	c := &a.group[i]
	if actual := a.versions[c.Stream]; actual != c.Expected {
		return eventstore.Outcome{State: eventstore.Conflict, Actual: actual}, nil
	}
	if a.careful {
		outcome, err := a.judgeUnique(i)
		if err != nil || outcome.State != eventstore.Written {
			return outcome, err
		}
	}
	outcome := eventstore.Outcome{State: eventstore.Written}
	if len(c.Events) > 0 {
		outcome.Position = a.next
	}
	return outcome, nil
}

// judgeUnique looks for the commit's key and event ids, in the file and in the
// commits before it.
func (a *appending) judgeUnique(i int) (eventstore.Outcome, error) {
	c := &a.group[i]
	if !c.Key.IsZero() {
		prior, taken, err := a.findKey(i)
		if err != nil || taken {
			return eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}, err
		}
	}
	for _, e := range c.Events {
		used, err := a.number("SELECT count(*) FROM event WHERE id = ?", e.ID)
		if err != nil {
			return eventstore.Outcome{}, err
		}
		if used > 0 || a.ids[e.ID] {
			return eventstore.Outcome{State: eventstore.Rejected, Reason: "event id " + e.ID + " is taken"}, nil
		}
		a.ids[e.ID] = true
	}
	return eventstore.Outcome{State: eventstore.Written}, nil
}

func (a *appending) findKey(i int) (prior eventstore.KeyRecord, taken bool, err error) {
	key := a.group[i].Key
	for j := range a.group[:i] {
		if a.group[j].Key == key {
			return a.record(j), true, nil
		}
	}
	err = a.query(selectKey, []any{key.Client, key.Value}, scanKey(&prior))
	return prior, !prior.Key.IsZero(), err
}

// record is what the key of a commit that is written will find.
func (a *appending) record(i int) eventstore.KeyRecord {
	c, n := &a.group[i], int64(len(a.group[i].Events))
	return eventstore.KeyRecord{
		Key: c.Key, RequestHash: c.RequestHash, Result: c.Result,
		Stream: c.Stream, Version: c.Expected + n, Position: a.outcomes[i].Position + n - 1,
	}
}

const selectArrived = "SELECT position FROM event WHERE id = ? AND stream = ? AND version = ?"

func arrivedArgs(c *eventstore.Commit) []any { return []any{c.Events[0].ID, c.Stream, c.Expected + 1} }

// explain says of the commits that are not written now, from the one at from,
// which of them an earlier attempt has brought into the file; or else of which
// of them the version is wrong.
func (a *appending) explain(from int) error {
	settled, err := a.findArrived(from)
	if err != nil || settled > from || a.versions == nil {
		return err
	}
	// A commit whose stream has a good one before it depends on that one.
	open := make(map[string]bool)
	for i := from + 1; i < len(a.group); i++ {
		c := &a.group[i]
		actual := a.versions[c.Stream]
		if actual == c.Expected {
			open[c.Stream] = true
		}
		if open[c.Stream] {
			continue
		}
		position, err := a.position(c)
		if err != nil {
			return err
		}
		if position == 0 { // else: it will be found when it is at the front
			a.outcomes[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
		}
	}
	return nil
}

// findArrived marks the run of commits from the one at from that are in the
// file already, and returns where it ends. Commits without events count as far
// as one that arrived stands behind them.
func (a *appending) findArrived(from int) (end int, err error) {
	end = from
	for i := from; i < len(a.group); i++ {
		c := &a.group[i]
		if len(c.Events) == 0 {
			continue
		}
		position, err := a.position(c)
		if err != nil || position == 0 {
			return end, err
		}
		for ; end < i; end++ {
			a.outcomes[end] = eventstore.Outcome{State: eventstore.Written}
		}
		a.outcomes[i] = eventstore.Outcome{State: eventstore.Written, Position: position}
		end = i + 1
	}
	return end, nil
}

// position returns where a commit stands in the file, 0 if it does not, or has
// no events to know it by.
func (a *appending) position(c *eventstore.Commit) (int64, error) {
	if len(c.Events) == 0 {
		return 0, nil
	}
	return a.number(selectArrived, arrivedArgs(c)...)
}
