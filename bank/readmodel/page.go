package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"passbook/contract/account"
)

// ErrSeveralCurrencies is returned where bounds of a balance were given without
// a currency, and accounts have different ones: a number alone says nothing.
var ErrSeveralCurrencies = errors.New("accounts have several currencies, and the bounds of a balance name none")

// Sort is what a page of accounts is ordered by.
type Sort int

// The orders. Accounts that are equal in them are ordered by their ids. Holders
// and ids are compared byte by byte, balances as numbers whatever the currency.
const (
	ByCreation Sort = iota
	ByBalance
	ByHolder
)

// PageQuery asks for a page of accounts, open and closed. What is zero asks for
// nothing in particular.
type PageQuery struct {
	Holder   string // compared byte by byte
	Type     account.Type
	Status   account.Status
	Currency account.Currency
	// MinBalance and MaxBalance are inclusive.
	MinBalance, MaxBalance *big.Rat

	Sort       Sort
	Descending bool
	// After is where the page before ended.
	After *Place
	// Limit is how many accounts the page has at most, 1 or more.
	Limit int
}

// Place is where a page ends: the value that its last account is ordered by,
// as the database has it, and that account's id. It is a place in the order and
// not in a list, so that accounts that come or go move nothing.
type Place struct{ Key, ID string }

// Page is a part of a list of accounts.
type Page struct {
	Accounts []Account
	// Next is nil if nothing follows at this moment.
	Next *Place
}

// FindPage returns a page, as of one moment. Each further page is as of its own.
// An account that is there all the while comes exactly once in a walk from page
// to page by creation or by holder, for those never change; by balance it may
// come twice or not at all while money moves. The error may be
// ErrSeveralCurrencies.
func (r *Reader) FindPage(ctx context.Context, q *PageQuery) (Page, error) {
	const question = "find a page of accounts"
	var accounts []Account
	err := r.view(ctx, func(tx *sql.Tx) error {
		accounts = nil
		if q.Currency.IsZero() && (q.MinBalance != nil || q.MaxBalance != nil) {
			var several bool
			if err := tx.QueryRowContext(ctx, r.sql.severalCurrencies).Scan(&several); err != nil {
				return err
			}
			if several {
				return ErrSeveralCurrencies
			}
		}
		query, args := r.sql.page(q)
		return collect(ctx, tx, query, args, func(r row) error {
			one, err := scanAccount(r)
			accounts = append(accounts, one)
			return err
		})
	})
	switch {
	case errors.Is(err, ErrSeveralCurrencies):
		return Page{}, fmt.Errorf("%s: %w", question, err)
	case err != nil:
		return Page{}, unavailable(question, err)
	case len(accounts) <= q.Limit:
		return Page{Accounts: accounts}, nil
	}
	accounts = accounts[:q.Limit]
	return Page{Accounts: accounts, Next: q.Sort.placeOf(accounts[q.Limit-1])}, nil
}

// placeOf returns where a page ends that ends with a.
func (s Sort) placeOf(a Account) *Place {
	p := &Place{ID: a.ID}
	switch s {
	case ByCreation:
		p.Key = formatTime(a.CreatedAt)
	case ByBalance:
		p.Key = strconv.FormatInt(units(a.Balance), 10)
	case ByHolder:
		p.Key = a.Holder
	}
	return p
}

// viewTries is how often a transaction is run that the database ends again and
// again.
const viewTries = 5

// view runs fn in a transaction that only reads, and so sees one state. It may
// run it several times, each as if it were the first.
func (r *Reader) view(ctx context.Context, fn func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := r.viewOnce(ctx, fn)
		if err == nil || try == viewTries || r.sql.isRetryable == nil || !r.sql.isRetryable(err) {
			return err
		}
	}
}

func (r *Reader) viewOnce(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{Isolation: r.sql.isolation, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	return fn(tx)
}

// collect gives every row of a query to scan.
func collect(ctx context.Context, tx *sql.Tx, query string, args []any, scan func(row) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error, if there is one
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
