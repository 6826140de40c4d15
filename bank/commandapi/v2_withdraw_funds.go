package commandapi

import (
	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
)

func (s *service) v2WithdrawFunds(api *web.API) {
	op := v2Operation(
		web.Operation{ID: "withdraw", Summary: "Pay money out"},
		examples("201",
			`{"amount":{"amount":"150.10","currency":"EUR"}}`,
			`{"accountId":"john-1","version":2,"position":3,"balance":{"amount":"0.00","currency":"EUR"}}`),
		web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeInsufficientFunds,
		web.CodeCurrencyMismatch, web.CodeCurrencyUnknown)
	s.v2Move(api, op, v2Movement{
		path: "/withdrawals",
		command: func(accountID string, amount contract.Money, reference string) any {
			return account.WithdrawFunds{AccountID: accountID, Amount: amount, Reference: reference}
		},
	})
}
