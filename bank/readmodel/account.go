package readmodel

import (
	"database/sql"
	"fmt"
	"time"

	"passbook/contract/account"
)

// Account is a row of bank_account: an account as of its last applied event.
type Account struct {
	ID, Holder string
	Type       account.Type
	Status     account.Status
	Balance    account.Money
	// CreatedAt is the time of the account's first event. UpdatedAt is since when
	// it is as it is: the time of its last event, or that of an earlier one if
	// that is later. In UTC, whole microseconds.
	CreatedAt, UpdatedAt time.Time
	// Version and EventID are those of the last event in its stream, Position is
	// that event's in the store.
	Version  int64
	EventID  string
	Position int64
}

// Kind is what an entry calls the event that it came from.
type Kind string

// The kinds of entries.
const (
	KindOpened    Kind = "OPENED"
	KindDeposited Kind = "DEPOSITED"
	KindWithdrawn Kind = "WITHDRAWN"
	KindClosed    Kind = "CLOSED"
)

// Entry is a row of account_entry: an event as a line of its account's
// statement.
type Entry struct {
	Version int64
	EventID string
	// Time is the event's own: in UTC, whole microseconds.
	Time time.Time
	Kind Kind
	// Amount is what was moved, unsigned: the kind says which way. Nil where
	// nothing was.
	Amount *account.Money
	// Balance is the account's after the event.
	Balance account.Money
	// Reference is empty where none was given.
	Reference string
	// Position is the event's in the store.
	Position int64

	// since is Account.UpdatedAt as of the event.
	since time.Time
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// scanAccount reads accountColumns. An error of the row itself is returned as it
// is; what the columns hold and no Model has written is an error of its own, with
// the head of the account.
func scanAccount(r row) (a Account, err error) {
	var created, updated, balance, currency string
	var ordinal int
	if err := r.Scan(&a.ID, &a.Holder, &created, &ordinal, &balance, &currency, &a.Status,
		&a.Version, &a.EventID, &a.Position, &updated); err != nil {
		return Account{}, err
	}
	head := Account{ID: a.ID, Version: a.Version, EventID: a.EventID}
	var faults [3]error
	a.CreatedAt, faults[0] = parseTime(created)
	a.UpdatedAt, faults[1] = parseTime(updated)
	a.Balance, faults[2] = account.ParseMoney(balance, currency)
	for _, fault := range faults {
		if fault != nil {
			return head, &malformedError{id: a.ID, err: fault}
		}
	}
	accountType, ok := account.TypeOfOrdinal(ordinal)
	if !ok {
		return head, &malformedError{id: a.ID, err: fmt.Errorf("account_type is %d", ordinal)}
	}
	a.Type = accountType
	return a, nil
}

// scanEntry reads entryColumns, of an account in that currency.
func scanEntry(r row, id string, currency account.Currency) (e Entry, err error) {
	var at, balance string
	var amount, reference sql.NullString
	if err := r.Scan(&e.Version, &e.EventID, &at, &e.Kind, &amount, &balance, &reference, &e.Position); err != nil {
		return Entry{}, err
	}
	var faults [3]error
	e.Time, faults[0] = parseTime(at)
	e.Balance, faults[1] = account.ParseAmount(balance, currency)
	if amount.Valid {
		var moved account.Money
		moved, faults[2] = account.ParseAmount(amount.String, currency)
		e.Amount = &moved
	}
	for _, fault := range faults {
		if fault != nil {
			return Entry{}, &malformedError{id: id, err: fmt.Errorf("entry %d: %w", e.Version, fault)}
		}
	}
	e.Reference = reference.String
	return e, nil
}

// malformedError: a row was not written by a Model, or was changed afterwards.
type malformedError struct {
	id  string
	err error
}

func (m *malformedError) Error() string {
	return fmt.Sprintf("row of account %s was changed from outside, build the read model anew: %v", m.id, m.err)
}

func (m *malformedError) Unwrap() error { return m.err }

// timeLayout has one width, so that texts sort as times do.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func parseTime(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, text) }
