package account_test

import (
	"encoding/json"
	"fmt"

	"passbook/contract/account"
)

func ExampleParseMoney() {
	deposit, _ := account.ParseMoney("12.5", "EUR")
	wire, _ := json.Marshal(deposit)
	fmt.Println(string(wire))

	_, err := account.ParseMoney("12.505", "EUR")
	fmt.Println(err)
	// Output:
	// {"amount":"12.50","currency":"EUR"}
	// amount must not have more than the 2 decimals of EUR
}

func ExampleParseLegacyAmount() {
	eur, _ := account.ParseCurrency("EUR")
	amount, _ := account.ParseLegacyAmount("1.0E7", eur)
	fmt.Println(amount, amount.LegacyNumber())
	// Output: 10000000.00 EUR 10000000.0
}
