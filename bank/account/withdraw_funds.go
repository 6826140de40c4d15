package account

import (
	"errors"

	contract "passbook/contract/account"
)

// WithdrawFunds pays Amount out. The zero Money counts as an amount of 0.
type WithdrawFunds struct {
	AccountID string
	Amount    contract.Money
	Reference string // optional
}

// Decide returns one Withdrawn with the balance after it, which is never below
// zero. It refuses, in this order, with CodeAccountNotFound,
// CodeCurrencyMismatch, CodeInsufficientFunds, CodeAccountClosed and
// CodeInvalidRequest.
//
// The Java original compares amount and balance before it asks whether the
// account is closed, and version-1 clients see which sentence they get; so does
// this. An amount of zero or below always fits the balance, so its turn comes
// after both.
func (c WithdrawFunds) Decide(s State) ([]any, error) {
	if !s.Exists() {
		return nil, notFound()
	}
	balance, err := c.remainder(s)
	switch {
	case err != nil:
		return nil, err
	case s.Closed():
		return nil, refuse(CodeAccountClosed, "Funds cannot be withdrawn from a closed account!")
	case c.Amount.Sign() <= 0:
		return nil, notPositive("The withdraw amount must be greater than 0!")
	}
	if err := invalid(optional(contract.CheckReference, c.Reference)); err != nil {
		return nil, err
	}
	return []any{contract.Withdrawn{Amount: c.Amount, Balance: balance, Reference: c.Reference}}, nil
}

// remainder is the balance after the withdrawal. An amount that is not above
// zero is left for the caller to refuse.
func (c WithdrawFunds) remainder(s State) (contract.Money, error) {
	if c.Amount.Sign() <= 0 {
		return s.Balance, nil
	}
	balance, err := s.Balance.Sub(c.Amount)
	if errors.Is(err, contract.ErrCurrencyMismatch) {
		return contract.Money{}, currencyMismatch(s.Balance.Currency(), c.Amount.Currency())
	}
	if err != nil || balance.Sign() < 0 {
		return contract.Money{}, refuse(CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	}
	return balance, nil
}
