package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"
)

// StatementQuery asks for a page of an account's statement.
type StatementQuery struct {
	ID string
	// From and To bound the time since when the account is what an entry made of
	// it, which is the entry's own unless one before it has a later one: From is
	// inclusive, To is not. Zero bounds nothing. So a statement is always an
	// unbroken run of versions, which leads from the account as it was right
	// before From to the account as it was right before To.
	From, To time.Time
	// After is the version of the last entry of the page before, and
	// event.NoVersion for the first page.
	After int64
	// Limit is how many entries the page has at most, 1 or more.
	Limit int
}

// Statement is a page of an account's statement.
type Statement struct {
	Entries []Entry // ascending by version
	// More tells that others follow at this moment.
	More bool
}

// FindStatement returns a page of an account's statement, or ErrNotFound where
// there is no account of that id. What is once in a statement stays as it is.
func (r *Reader) FindStatement(ctx context.Context, q *StatementQuery) (page Statement, err error) {
	err = r.view(ctx, func(tx *sql.Tx) error {
		page = Statement{}
		now, err := scanAccount(tx.QueryRowContext(ctx, r.sql.byID, q.ID))
		if err != nil {
			return err
		}
		above, below := q.After, int64(math.MaxInt64)
		if !q.From.IsZero() {
			first, err := r.firstSince(ctx, tx, now, notBefore(q.From))
			if err != nil {
				return err
			}
			above = max(above, first-1)
		}
		if !q.To.IsZero() {
			if below, err = r.firstSince(ctx, tx, now, notBefore(q.To)); err != nil {
				return err
			}
		}
		args := []any{q.ID, above, below, q.Limit + 1}
		return collect(ctx, tx, r.sql.entries, args, func(r row) error {
			e, err := scanEntry(r, q.ID, now.Balance.Currency())
			page.Entries = append(page.Entries, e)
			return err
		})
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Statement{}, ErrNotFound
	case err != nil:
		return Statement{}, unavailable("find statement", err)
	}
	if len(page.Entries) > q.Limit {
		page.Entries, page.More = page.Entries[:q.Limit], true
	}
	return page, nil
}
