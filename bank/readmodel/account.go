package readmodel

import (
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
	// CreatedAt and UpdatedAt are the times of the account's first event and of
	// its last: in UTC, whole microseconds.
	CreatedAt, UpdatedAt time.Time
	// Version and EventID are those of the last event in its stream, Position is
	// that event's in the store.
	Version  int64
	EventID  string
	Position int64
}

// kind is what an entry calls the event that it came from.
type kind string

const (
	kindOpened    kind = "OPENED"
	kindDeposited kind = "DEPOSITED"
	kindWithdrawn kind = "WITHDRAWN"
	kindClosed    kind = "CLOSED"
)

// entry is a row of account_entry.
type entry struct {
	version   int64
	eventID   string
	time      time.Time
	kind      kind
	amount    *account.Money // nil: nothing was moved
	balance   account.Money
	reference string
	position  int64
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// scanAccount reads accountColumns. An error of the row itself is returned as it
// is; what the columns hold and no Model has written is an error of its own.
func scanAccount(r row) (a Account, err error) {
	var created, updated, balance, currency string
	var ordinal int
	if err := r.Scan(&a.ID, &a.Holder, &created, &ordinal, &balance, &currency, &a.Status,
		&a.Version, &a.EventID, &a.Position, &updated); err != nil {
		return Account{}, err
	}
	var faults [3]error
	a.CreatedAt, faults[0] = parseTime(created)
	a.UpdatedAt, faults[1] = parseTime(updated)
	a.Balance, faults[2] = account.ParseMoney(balance, currency)
	for _, fault := range faults {
		if fault != nil {
			return Account{}, &malformedError{id: a.ID, err: fault}
		}
	}
	accountType, ok := account.TypeOfOrdinal(ordinal)
	if !ok {
		return Account{}, &malformedError{id: a.ID, err: fmt.Errorf("account_type is %d", ordinal)}
	}
	a.Type = accountType
	return a, nil
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
