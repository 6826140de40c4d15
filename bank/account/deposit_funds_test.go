package account

import (
	"testing"

	contract "passbook/contract/account"
)

func TestDepositFunds(t *testing.T) {
	state := given(opened(eur(t, "0.10")))
	requireDecided(t, DepositFunds{Amount: eur(t, "0.20")}, state,
		contract.Deposited{Amount: eur(t, "0.20"), Balance: eur(t, "0.30")})
	requireDecided(t, DepositFunds{Amount: eur(t, "0.01"), Reference: "Rent"}, state,
		contract.Deposited{Amount: eur(t, "0.01"), Balance: eur(t, "0.11"), Reference: "Rent"})
	requireDecided(t, DepositFunds{Amount: eur(t, "999999999999.89")}, state,
		contract.Deposited{Amount: eur(t, "999999999999.89"), Balance: eur(t, "999999999999.99")})
}

func TestDepositFunds_Refused(t *testing.T) {
	open := given(opened(eur(t, "50")))
	closed := given(opened(eur(t, "50")), contract.Closed{})

	requireRefused(t, DepositFunds{Amount: eur(t, "1")}, State{},
		CodeAccountNotFound, "Incorrect account ID provided!")
	requireRefused(t, DepositFunds{Amount: eur(t, "1")}, closed,
		CodeAccountClosed, "Funds cannot be deposited into a closed bank account!")

	for _, amount := range []contract.Money{eur(t, "0"), eur(t, "-0.01"), eur(t, "-7"), money(t, "-7", "JPY"), {}} {
		requireRefused(t, DepositFunds{Amount: amount}, open,
			CodeInvalidRequest, "The deposit amount must be greater than 0!")
		requireField(t, DepositFunds{Amount: amount}, open, "amount")
	}

	requireField(t, DepositFunds{Amount: eur(t, "1"), Reference: tooLong}, open, "reference")
	requireRefused(t, DepositFunds{Amount: money(t, "1", "JPY")}, open,
		CodeCurrencyMismatch, "The account is in EUR, the amount in JPY!")
	requireRefused(t, DepositFunds{Amount: eur(t, "999999999950")}, open,
		CodeBalanceLimit, "Deposit declined, the balance would pass 999999999999.99 EUR!")
}

func TestDepositFunds_OrderOfChecks(t *testing.T) {
	everythingWrong := DepositFunds{Amount: eur(t, "0"), Reference: tooLong}
	requireRefused(t, everythingWrong, State{},
		CodeAccountNotFound, "Incorrect account ID provided!")
	requireRefused(t, everythingWrong, given(opened(eur(t, "1")), contract.Closed{}),
		CodeAccountClosed, "Funds cannot be deposited into a closed bank account!")
	requireRefused(t, everythingWrong, given(opened(eur(t, "1"))),
		CodeInvalidRequest, "The deposit amount must be greater than 0!")
}
