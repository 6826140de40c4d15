package account

import (
	contract "passbook/contract/account"
)

// OpenAccount opens an account under AccountID.
type OpenAccount struct {
	AccountID string
	Holder    string
	Type      contract.Type
	// Currency and OpeningBalance may each be left at their zero value, but not
	// both: without a balance the account starts at 0 in Currency, without a
	// currency it has the balance's. Both are accepted if they agree.
	Currency       contract.Currency
	OpeningBalance contract.Money
	Phone, Email   string // optional
}

// Decide returns one Opened. It refuses with CodeInvalidRequest, which comes
// first because it holds whatever the state, then CodeCurrencyMismatch, then
// CodeAccountExists, also for an account that was closed: an id is used once.
func (c OpenAccount) Decide(s State) ([]any, error) {
	_, badType := contract.ParseType(string(c.Type))
	if err := invalid(
		contract.CheckAccountID(c.AccountID),
		contract.CheckAccountHolder(c.Holder),
		badType,
		optional(contract.CheckPhone, c.Phone),
		optional(contract.CheckEmail, c.Email),
	); err != nil {
		return nil, err
	}
	balance, err := c.balance()
	if err != nil {
		return nil, err
	}
	if s.Exists() {
		return nil, refuse(CodeAccountExists, "An account with this ID already exists!")
	}
	return []any{contract.Opened{
		AccountHolder:  c.Holder,
		AccountType:    c.Type,
		OpeningBalance: balance,
		Phone:          c.Phone,
		Email:          c.Email,
	}}, nil
}

func (c OpenAccount) balance() (contract.Money, error) {
	given := c.OpeningBalance.Currency()
	switch {
	case c.Currency.IsZero() && given.IsZero():
		return contract.Money{}, invalid(&contract.FieldError{Field: "currency", Problem: "must be given"})
	case given.IsZero():
		return contract.Zero(c.Currency), nil
	case !c.Currency.IsZero() && c.Currency != given:
		return contract.Money{}, currencyMismatch(c.Currency, given)
	case c.OpeningBalance.Sign() < 0:
		return contract.Money{}, invalid(&contract.FieldError{Field: "openingBalance", Problem: "must not be negative"})
	}
	return c.OpeningBalance, nil
}
