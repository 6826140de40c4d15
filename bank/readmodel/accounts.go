package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
)

const (
	// wholeMax is how many accounts are read at once.
	wholeMax = 128
	// longMax is how many longer lists are read at the same moment. Their readers
	// take their time, and each holds one of the database's connections: those
	// that are left are for short questions, and for the projection.
	longMax = 2
)

// FindAccounts returns all accounts that are open, in the order of their ids.
func (r *Reader) FindAccounts(ctx context.Context) (*Accounts, error) {
	return r.find(ctx, "find accounts", r.sql.all)
}

// FindAccountsByHolder returns the open accounts of a holder, in the order of
// their ids. The name is compared byte by byte.
func (r *Reader) FindAccountsByHolder(ctx context.Context, holder string) (*Accounts, error) {
	return r.find(ctx, "find accounts by holder", r.sql.byHolder, holder)
}

// FindAccountsWithBalance returns the open accounts whose balance is above or
// below a number, by ascending balance. What is compared is the number alone,
// exactly, whatever the currency and its decimals: 7 JPY and 7.00 EUR are both
// above 6.999, and neither is above 7.
func (r *Reader) FindAccountsWithBalance(ctx context.Context, c Comparison, number *big.Rat) (*Accounts, error) {
	const question = "find accounts with balance"
	switch c {
	case Above:
		return r.find(ctx, question, r.sql.above, c.limit(number))
	case Below:
		return r.find(ctx, question, r.sql.below, c.limit(number))
	default:
		return nil, fmt.Errorf("%s: %d is no comparison", question, c)
	}
}

// Accounts is a list of accounts as of one moment, to be read once by one
// goroutine, and to be closed whether it was read or not. However long it is, it
// takes little memory: all but a short one is read while All goes over it, in a
// transaction that ends with Close.
type Accounts struct {
	question string
	count    int64
	whole    []Account

	// Only a long list has these.
	rows *sql.Rows
	end  func()
}

// Count is how many accounts All yields, if it meets no error.
func (a *Accounts) Count() int64 { return a.count }

// All yields the accounts. It ends after the first error.
func (a *Accounts) All() iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		for _, one := range a.whole {
			if !yield(one, nil) {
				return
			}
		}
		if a.rows == nil {
			return
		}
		for a.rows.Next() {
			one, err := scanAccount(a.rows)
			if !yield(one, unavailable(a.question, err)) || err != nil {
				return
			}
		}
		if err := a.rows.Err(); err != nil {
			yield(Account{}, unavailable(a.question, err))
		}
	}
}

// Close ends the transaction. Closing again does nothing.
func (a *Accounts) Close() {
	if a.end != nil {
		a.end()
		a.end = nil
	}
}

// find reads a list that is short, and begins to read one that is long: ctx must
// not end before the list is closed.
func (r *Reader) find(ctx context.Context, question string, l list, args ...any) (*Accounts, error) {
	whole, err := r.readUpTo(ctx, wholeMax+1, l.rows, args)
	if err == nil && len(whole) <= wholeMax {
		return &Accounts{question: question, count: int64(len(whole)), whole: whole}, nil
	}
	if err != nil {
		return nil, unavailable(question, err)
	}
	// The turn is waited for without a connection in the hand.
	select {
	case r.long <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w: %w", question, ErrBusy, ctx.Err())
	}
	found, err := r.begin(ctx, question, l, args)
	if err != nil {
		<-r.long
		return nil, unavailable(question, err)
	}
	return found, nil
}

// begin counts a list and opens it, in one transaction and so as of one moment.
// The turn is given back when the list is closed.
func (r *Reader) begin(ctx context.Context, question string, l list, args []any) (_ *Accounts, err error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{Isolation: r.sql.isolation, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // there is nothing to commit, here and below
		}
	}()
	found := &Accounts{question: question}
	if err := tx.QueryRowContext(ctx, l.count, args...).Scan(&found.count); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, l.rows, args...) //nolint:rowserrcheck // All reads them
	if err != nil {
		return nil, err
	}
	found.rows = rows
	found.end = func() {
		_ = rows.Close()
		_ = tx.Rollback()
		<-r.long
	}
	return found, nil
}

// readUpTo reads the first accounts of a list, limit at most.
func (r *Reader) readUpTo(ctx context.Context, limit int, query string, args []any) (accounts []Account, err error) {
	rows, err := r.db.QueryContext(ctx, query+" LIMIT ?", append(slices.Clip(args), limit)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, one)
	}
	return accounts, rows.Err()
}
