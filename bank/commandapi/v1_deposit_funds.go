package commandapi

import (
	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
)

func (s *service) v1DepositFunds(api *web.API) {
	op := v1Operation(web.Operation{ID: "depositFunds", Summary: "Pay money in"},
		web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeBalanceLimit, web.CodeCurrencyMismatch)
	s.v1Move(api, op, v1Movement{
		path: v1Prefix + "depositFunds/",
		command: func(accountID string, amount contract.Money) any {
			return account.DepositFunds{AccountID: accountID, Amount: amount}
		},
		done:   "Deposit funds request completed successfully!",
		failed: "Error while processing request to deposit funds to bank account for id - ",
	})
}
