package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"passbook/contract/account"
	"passbook/es/event"
)

// NotReachedError is returned for a version that the account does not have, or
// does not have yet: what reads the feed cannot know which.
type NotReachedError struct {
	// Reached is the account's version.
	Reached int64
}

func (n *NotReachedError) Error() string {
	return fmt.Sprintf("the account has version %d and not the one that was asked for", n.Reached)
}

// FindAccountAtVersion returns the account as it was when it had a version:
// after the last event up to it that was not discarded. It returns ErrNotFound
// where there is no account of that id, and a *NotReachedError.
func (r *Reader) FindAccountAtVersion(ctx context.Context, id string, version int64) (Account, error) {
	return r.findPast(ctx, "find account at version", id, func(_ context.Context, _ *sql.Tx, now Account) (int64, error) {
		if version > now.Version {
			return 0, &NotReachedError{Reached: now.Version}
		}
		return version, nil
	})
}

// FindAccountAtTime returns the account as it was at a moment: after the longest
// run of its events from the first on whose times are all at or before it. It
// returns ErrNotFound where there is no account of that id, or was none then.
//
// Of a moment that has only just passed, events may still be on their way.
func (r *Reader) FindAccountAtTime(ctx context.Context, id string, at time.Time) (Account, error) {
	return r.findPast(ctx, "find account at time", id, func(ctx context.Context, tx *sql.Tx, now Account) (int64, error) {
		next, err := r.firstSince(ctx, tx, now, notAfter(at))
		return next - 1, err
	})
}

// findPast reads an account's row, and takes it back to the version that choose
// returns.
func (r *Reader) findPast(
	ctx context.Context, question, id string, choose func(context.Context, *sql.Tx, Account) (int64, error),
) (then Account, err error) {
	err = r.view(ctx, func(tx *sql.Tx) error {
		now, err := scanAccount(tx.QueryRowContext(ctx, r.sql.byID, id))
		if err != nil {
			return err
		}
		version, err := choose(ctx, tx, now)
		if err != nil {
			return err
		}
		then, err = r.asOf(ctx, tx, now, version)
		return err
	})
	_, notReached := errors.AsType[*NotReachedError](err)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Account{}, ErrNotFound
	case notReached:
		return Account{}, fmt.Errorf("%s: %w", question, err)
	}
	return then, unavailable(question, err)
}

// asOf returns an account as of a version, or sql.ErrNoRows. What no event
// changes is as it is in the row.
func (r *Reader) asOf(ctx context.Context, tx *sql.Tx, now Account, version int64) (Account, error) {
	then := now
	var updated, balance string
	if err := tx.QueryRowContext(ctx, r.sql.asOf, now.ID, version).
		Scan(&then.Version, &then.EventID, &updated, &balance, &then.Position); err != nil {
		return Account{}, err
	}
	var faults [2]error
	then.UpdatedAt, faults[0] = parseTime(updated)
	then.Balance, faults[1] = account.ParseAmount(balance, now.Balance.Currency())
	if err := errors.Join(faults[:]...); err != nil {
		return Account{}, &malformedError{id: now.ID, err: fmt.Errorf("entry %d: %w", then.Version, err)}
	}
	if now.Status == account.StatusOpen {
		return then, nil
	}
	var closed bool
	if err := tx.QueryRowContext(ctx, r.sql.closed, now.ID, version).Scan(&closed); err != nil {
		return Account{}, err
	}
	if !closed {
		then.Status = account.StatusOpen
	}
	return then, nil
}

// firstSince returns the first version of an account that is as it is since a
// time, as formatTime writes it, or later; one above the account's own if there
// is none. It looks in the middle of what is left: from one version to the next
// that time never falls.
func (r *Reader) firstSince(ctx context.Context, tx *sql.Tx, a Account, since string) (int64, error) {
	statement, err := tx.PrepareContext(ctx, r.sql.since)
	if err != nil {
		return 0, err
	}
	defer func() { _ = statement.Close() }() // it ends with the transaction
	low, high := event.NoVersion+1, a.Version+1
	for low < high {
		middle := low + (high-low)/2
		var version int64
		var found string
		switch err := statement.QueryRowContext(ctx, a.ID, middle).Scan(&version, &found); {
		case errors.Is(err, sql.ErrNoRows):
			return 0, &malformedError{id: a.ID, err: fmt.Errorf("there is no entry from version %d on", middle)}
		case err != nil:
			return 0, err
		case found < since:
			low = version + 1
		default: // there is nothing between middle and version
			high = middle
		}
	}
	return low, nil
}

// notBefore returns the text that times at or after t are not below, and times
// before t are.
func notBefore(t time.Time) string {
	whole := t.Truncate(time.Microsecond)
	if whole.Before(t) {
		whole = whole.Add(time.Microsecond)
	}
	return formatTime(whole)
}

// notAfter returns the text that times after t are not below, and times at or
// before t are.
func notAfter(t time.Time) string {
	return formatTime(t.Truncate(time.Microsecond).Add(time.Microsecond))
}
