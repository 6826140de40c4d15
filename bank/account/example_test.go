package account_test

import (
	"errors"
	"fmt"

	"passbook/bank/account"
	contract "passbook/contract/account"
)

func Example() {
	var state account.State
	hundred, _ := contract.ParseMoney("100", "EUR")
	events, _ := account.OpenAccount{
		AccountID: "a-1", Holder: "John Doe", Type: contract.Savings, OpeningBalance: hundred,
	}.Decide(state)
	for _, event := range events {
		state = account.Evolve(state, event)
	}
	fmt.Println(state.Status, state.Balance)

	more, _ := contract.ParseMoney("100.01", "EUR")
	_, err := account.WithdrawFunds{AccountID: "a-1", Amount: more}.Decide(state)
	if refusal, ok := errors.AsType[*account.Refusal](err); ok {
		fmt.Println(refusal.Code, "-", refusal.Message)
	}
	// Output:
	// OPEN 100.00 EUR
	// insufficient-funds - Withdraw declined, insufficient funds!
}
