package commandapi

import (
	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
)

func (s *service) v2DepositFunds(api *web.API) {
	op := v2Operation(
		web.Operation{ID: "deposit", Summary: "Pay money in"},
		examples("201",
			`{"amount":{"amount":"100.10","currency":"EUR"},"reference":"salary"}`,
			`{"accountId":"john-1","version":1,"position":2,"balance":{"amount":"150.10","currency":"EUR"}}`),
		web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeBalanceLimit,
		web.CodeCurrencyMismatch, web.CodeCurrencyUnknown)
	s.v2Move(api, op, v2Movement{
		path: "/deposits",
		command: func(accountID string, amount contract.Money, reference string) any {
			return account.DepositFunds{AccountID: accountID, Amount: amount, Reference: reference}
		},
	})
}
