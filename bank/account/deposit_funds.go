package account

import (
	"errors"

	contract "passbook/contract/account"
)

// DepositFunds pays Amount in. The zero Money counts as an amount of 0.
type DepositFunds struct {
	AccountID string
	Amount    contract.Money
	Reference string // optional
}

// Decide returns one Deposited with the balance after it. It refuses, in this
// order, with CodeAccountNotFound, CodeAccountClosed, CodeInvalidRequest,
// CodeCurrencyMismatch and CodeBalanceLimit. The order is the Java original's
// as far as that has the rules.
func (c DepositFunds) Decide(s State) ([]any, error) {
	switch {
	case !s.Exists():
		return nil, notFound()
	case s.Closed():
		return nil, refuse(CodeAccountClosed, "Funds cannot be deposited into a closed bank account!")
	case c.Amount.Sign() <= 0:
		return nil, notPositive("The deposit amount must be greater than 0!")
	}
	if err := invalid(optional(contract.CheckReference, c.Reference)); err != nil {
		return nil, err
	}
	balance, err := s.Balance.Add(c.Amount)
	switch {
	case errors.Is(err, contract.ErrCurrencyMismatch):
		return nil, currencyMismatch(s.Balance.Currency(), c.Amount.Currency())
	case err != nil:
		return nil, refuse(CodeBalanceLimit,
			"Deposit declined, the balance would pass "+contract.Largest(s.Balance.Currency()).String()+"!")
	}
	return []any{contract.Deposited{Amount: c.Amount, Balance: balance, Reference: c.Reference}}, nil
}
