package readmodel

import (
	"errors"
	"fmt"

	"passbook/contract/account"
	"passbook/es/event"
	"passbook/es/projection"
)

// change is an account on its way to its next row.
type change struct {
	// expected is the version that the row has, event.NoVersion if there is none.
	expected int64
	// status is that of the row, empty if there is none.
	status  account.Status
	next    Account
	entries []Entry
	// malformed is why there is nothing to apply an event to.
	malformed error
}

// newChange begins with the account's row, if rows has it.
func newChange(id string, rows map[string]stored) *change {
	if before, ok := rows[id]; ok {
		return &change{expected: before.Version, status: before.Status, next: before.Account, malformed: before.malformed}
	}
	return &change{expected: event.NoVersion, next: Account{ID: id, Version: event.NoVersion}}
}

// apply applies the events of one account, which ascend. A version that is left
// out was discarded. The error is a *projection.Unapplicable for the first that
// cannot be applied, or ErrVersion.
func (c *change) apply(codec *event.Codec, history []event.Envelope) error {
	if c.malformed != nil {
		return projection.NewUnapplicable(history[0], c.malformed)
	}
	c.entries = make([]Entry, 0, len(history))
	for _, e := range history {
		if e.Version <= c.next.Version {
			return fmt.Errorf("%w: account %s has version %d, event %s is version %d",
				ErrVersion, e.Stream, c.next.Version, e.ID, e.Version)
		}
		payload, err := projection.Decode(codec, e)
		if err != nil {
			return err
		}
		line, err := c.take(e, payload)
		if err != nil {
			return projection.NewUnapplicable(e, err)
		}
		c.entries = append(c.entries, c.pass(e, line))
	}
	return nil
}

// pass moves the account's head to e, and completes the entry.
func (c *change) pass(e event.Envelope, line Entry) Entry {
	a := &c.next
	a.Version, a.EventID, a.Position = e.Version, e.ID, e.Position
	if e.Time.After(a.UpdatedAt) {
		a.UpdatedAt = e.Time
	}
	line.Version, line.EventID, line.Time, line.Position = e.Version, e.ID, e.Time, e.Position
	line.Balance, line.since = a.Balance, a.UpdatedAt
	return line
}

var (
	errNotOpened = errors.New("the account was not opened by an event before it")
	errReopened  = errors.New("the account was opened by an event before it")
)

// take changes the account by one event, and returns as much of its entry as the
// payload says. Its errors depend on the events alone.
func (c *change) take(e event.Envelope, payload any) (Entry, error) {
	opened, opens := payload.(account.Opened)
	switch isThere := c.next.Version != event.NoVersion; {
	case isThere && opens:
		return Entry{}, errReopened
	case !isThere && !opens:
		return Entry{}, errNotOpened
	}
	switch p := payload.(type) {
	case account.Opened:
		return c.open(e, opened)
	case account.Deposited:
		balance, err := c.next.Balance.Add(p.Amount)
		return c.move(e, p.Balance, balance, err, Entry{Kind: KindDeposited, Amount: &p.Amount, Reference: p.Reference})
	case account.Withdrawn:
		balance, err := c.next.Balance.Sub(p.Amount)
		return c.move(e, p.Balance, balance, err, Entry{Kind: KindWithdrawn, Amount: &p.Amount, Reference: p.Reference})
	case account.Closed:
		c.next.Status = account.StatusClosed
		return Entry{Kind: KindClosed}, nil
	default:
		return Entry{}, fmt.Errorf("the read model has no row for a %T", payload)
	}
}

func (c *change) open(e event.Envelope, p account.Opened) (Entry, error) {
	if err := account.CheckAccountID(e.Stream); err != nil {
		return Entry{}, err
	}
	if _, err := account.ParseType(string(p.AccountType)); err != nil {
		return Entry{}, err
	}
	if p.OpeningBalance.Currency().IsZero() {
		return Entry{}, errors.New("openingBalance must be given")
	}
	c.next = Account{
		ID: e.Stream, Version: event.NoVersion,
		Holder: p.AccountHolder, Type: p.AccountType, Status: account.StatusOpen,
		Balance: p.OpeningBalance, CreatedAt: e.Time,
	}
	return Entry{Kind: KindOpened, Amount: &p.OpeningBalance}, nil
}

// move sets the balance to what the account's events add up to, which err may
// say they do not. The payload has to claim the same: where it does not, one of
// the events is not what was stored. Right behind a discarded event there is
// nothing to add up, and what the event claims is what it was decided on.
func (c *change) move(e event.Envelope, claimed, computed account.Money, err error, line Entry) (Entry, error) {
	switch behindHole := e.Version > c.next.Version+1; {
	case behindHole && (claimed.Currency() != c.next.Balance.Currency() || line.Amount.Currency() != claimed.Currency()):
		return Entry{}, account.ErrCurrencyMismatch
	case behindHole:
		computed = claimed
	case err != nil:
		return Entry{}, err
	case claimed != computed:
		return Entry{}, fmt.Errorf("balance in the event is %s, but the account's events add up to %s: "+
			"one of them was altered; compare them with the event store", claimed, computed)
	}
	c.next.Balance = computed
	return line, nil
}
