package account

import (
	"testing"

	contract "passbook/contract/account"
)

func TestWithdrawFunds(t *testing.T) {
	state := given(opened(eur(t, "50")))
	requireDecided(t, WithdrawFunds{Amount: eur(t, "20")}, state,
		contract.Withdrawn{Amount: eur(t, "20"), Balance: eur(t, "30")})
	requireDecided(t, WithdrawFunds{Amount: eur(t, "50"), Reference: "All of it"}, state,
		contract.Withdrawn{Amount: eur(t, "50"), Balance: eur(t, "0"), Reference: "All of it"})
}

func TestWithdrawFunds_Refused(t *testing.T) {
	open := given(opened(eur(t, "50")))
	closed := given(opened(eur(t, "50")), contract.Closed{})

	requireRefused(t, WithdrawFunds{Amount: eur(t, "1")}, State{},
		CodeAccountNotFound, "Incorrect account ID provided!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "50.01")}, open,
		CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "999999999999.99")}, open,
		CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "50")}, closed,
		CodeAccountClosed, "Funds cannot be withdrawn from a closed account!")

	for _, amount := range []contract.Money{eur(t, "0"), eur(t, "-0.01"), eur(t, "-7"), money(t, "-7", "JPY"), {}} {
		requireRefused(t, WithdrawFunds{Amount: amount}, open,
			CodeInvalidRequest, "The withdraw amount must be greater than 0!")
		requireField(t, WithdrawFunds{Amount: amount}, open, "amount")
	}

	requireField(t, WithdrawFunds{Amount: eur(t, "1"), Reference: "a\nb"}, open, "reference")
	requireRefused(t, WithdrawFunds{Amount: money(t, "1", "JPY")}, open,
		CodeCurrencyMismatch, "The account is in EUR, the amount in JPY!")
}

func TestWithdrawFunds_OrderOfChecks(t *testing.T) {
	closed := given(opened(eur(t, "50")), contract.Closed{})

	requireRefused(t, WithdrawFunds{Amount: eur(t, "-7"), Reference: tooLong}, State{},
		CodeAccountNotFound, "Incorrect account ID provided!")
	requireRefused(t, WithdrawFunds{Amount: money(t, "999", "JPY"), Reference: tooLong}, closed,
		CodeCurrencyMismatch, "The account is in EUR, the amount in JPY!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "50.01"), Reference: tooLong}, closed,
		CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "-7"), Reference: tooLong}, closed,
		CodeAccountClosed, "Funds cannot be withdrawn from a closed account!")
	requireRefused(t, WithdrawFunds{Amount: eur(t, "-7"), Reference: tooLong}, given(opened(eur(t, "50"))),
		CodeInvalidRequest, "The withdraw amount must be greater than 0!")
}
