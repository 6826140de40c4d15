package account

import (
	"testing"

	contract "passbook/contract/account"
)

func TestCloseAccount(t *testing.T) {
	empty, full := given(opened(eur(t, "0"))), given(opened(eur(t, "50")))

	requireDecided(t, CloseAccount{}, empty, contract.Closed{})
	requireDecided(t, CloseAccount{Reason: "Moved"}, empty, contract.Closed{Reason: "Moved"})
	requireDecided(t, CloseAccount{AllowBalance: true}, empty, contract.Closed{})
	requireDecided(t, CloseAccount{AllowBalance: true}, full, contract.Closed{})
}

func TestCloseAccount_Refused(t *testing.T) {
	full := given(opened(eur(t, "0.01")))

	requireRefused(t, CloseAccount{}, State{}, CodeAccountNotFound, "Incorrect account ID provided!")
	requireRefused(t, CloseAccount{}, full,
		CodeBalanceNotZero, "The account cannot be closed while its balance is not 0!")
	requireField(t, CloseAccount{Reason: tooLong}, full, "reason")

	for _, allow := range []bool{false, true} {
		requireRefused(t, CloseAccount{Reason: tooLong, AllowBalance: allow}, given(opened(eur(t, "50")), contract.Closed{}),
			CodeAccountClosed, "Bank account has already been closed!")
	}
}
