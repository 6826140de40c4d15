package commandapi

import (
	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
)

func (s *service) v1WithdrawFunds(api *web.API) {
	op := v1Operation(web.Operation{ID: "withdrawFunds", Summary: "Pay money out"},
		web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeInsufficientFunds, web.CodeCurrencyMismatch)
	s.v1Move(api, op, v1Movement{
		path: v1Prefix + "withdrawFunds/",
		command: func(accountID string, amount contract.Money) any {
			return account.WithdrawFunds{AccountID: accountID, Amount: amount}
		},
		done:   "Withdraw funds request completed successfully!",
		failed: "Error while processing request to withdraw funds to bank account for id - ",
	})
}
