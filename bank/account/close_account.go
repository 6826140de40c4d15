package account

import (
	contract "passbook/contract/account"
)

// CloseAccount closes an account for ever.
type CloseAccount struct {
	AccountID string
	Reason    string // optional
	// AllowBalance closes whatever the balance is, as version 1 of the API
	// promises. Without it money left in the account is a reason to refuse.
	AllowBalance bool
}

// Decide returns one Closed. It refuses, in this order, with
// CodeAccountNotFound, CodeAccountClosed, CodeInvalidRequest and, unless
// AllowBalance is set, CodeBalanceNotZero.
func (c CloseAccount) Decide(s State) ([]any, error) {
	switch {
	case !s.Exists():
		return nil, notFound()
	case s.Closed():
		return nil, refuse(CodeAccountClosed, "Bank account has already been closed!")
	}
	if err := invalid(optional(contract.CheckReason, c.Reason)); err != nil {
		return nil, err
	}
	if !c.AllowBalance && s.Balance.Sign() != 0 {
		return nil, refuse(CodeBalanceNotZero, "The account cannot be closed while its balance is not 0!")
	}
	return []any{contract.Closed{Reason: c.Reason}}, nil
}
