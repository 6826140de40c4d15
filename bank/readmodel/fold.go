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
	next     Account
	entries  []entry
	// malformed is why there is nothing to apply an event to.
	malformed error
}

// newChange begins with the account's row, if rows has it.
func newChange(id string, rows map[string]stored) *change {
	if before, ok := rows[id]; ok {
		return &change{expected: before.Version, next: before.Account, malformed: before.malformed}
	}
	return &change{expected: event.NoVersion, next: Account{ID: id, Version: event.NoVersion}}
}

// apply applies the events of one account, which are consecutive. The error is a
// *projection.Unapplicable for the first that cannot be, or ErrVersion.
func (c *change) apply(codec *event.Codec, history []event.Envelope) error {
	if c.malformed != nil {
		return projection.NewUnapplicable(history[0], c.malformed)
	}
	c.entries = make([]entry, 0, len(history))
	for _, e := range history {
		if e.Version != c.next.Version+1 {
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
		line.version, line.eventID, line.time, line.position = e.Version, e.ID, e.Time, e.Position
		line.balance = c.next.Balance
		c.entries = append(c.entries, line)
		c.next.Version, c.next.EventID, c.next.Position, c.next.UpdatedAt = e.Version, e.ID, e.Position, e.Time
	}
	return nil
}

var (
	errNotOpened = errors.New("the account was not opened by an event before it")
	errReopened  = errors.New("the account was opened by an event before it")
)

// take changes the account by one event, and returns as much of its entry as the
// payload says. Its errors depend on the events alone.
func (c *change) take(e event.Envelope, payload any) (entry, error) {
	opened, opens := payload.(account.Opened)
	switch isThere := c.next.Version != event.NoVersion; {
	case isThere && opens:
		return entry{}, errReopened
	case !isThere && !opens:
		return entry{}, errNotOpened
	}
	switch p := payload.(type) {
	case account.Opened:
		return c.open(e, opened)
	case account.Deposited:
		balance, err := c.next.Balance.Add(p.Amount)
		return c.move(kindDeposited, p.Amount, p.Reference, p.Balance, balance, err)
	case account.Withdrawn:
		balance, err := c.next.Balance.Sub(p.Amount)
		return c.move(kindWithdrawn, p.Amount, p.Reference, p.Balance, balance, err)
	case account.Closed:
		c.next.Status = account.StatusClosed
		return entry{kind: kindClosed}, nil
	default:
		return entry{}, fmt.Errorf("the read model has no row for a %T", payload)
	}
}

func (c *change) open(e event.Envelope, p account.Opened) (entry, error) {
	if err := account.CheckAccountID(e.Stream); err != nil {
		return entry{}, err
	}
	if _, err := account.ParseType(string(p.AccountType)); err != nil {
		return entry{}, err
	}
	if p.OpeningBalance.Currency().IsZero() {
		return entry{}, errors.New("openingBalance must be given")
	}
	c.next = Account{
		ID: e.Stream, Version: event.NoVersion,
		Holder: p.AccountHolder, Type: p.AccountType, Status: account.StatusOpen,
		Balance: p.OpeningBalance, CreatedAt: e.Time,
	}
	return entry{kind: kindOpened, amount: &p.OpeningBalance}, nil
}

// move sets the balance to what the account's events add up to, which err may
// say they do not. The payload has to claim the same: where it does not, one of
// the events is not what was stored.
func (c *change) move(k kind, amount account.Money, reference string, claimed, computed account.Money, err error) (entry, error) {
	if err != nil {
		return entry{}, err
	}
	if claimed != computed {
		return entry{}, fmt.Errorf("balance in the event is %s, but the account's events add up to %s: "+
			"one of them was altered; compare them with the event store", claimed, computed)
	}
	c.next.Balance = computed
	return entry{kind: k, amount: &amount, reference: reference}, nil
}
