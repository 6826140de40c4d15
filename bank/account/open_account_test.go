package account

import (
	"testing"

	contract "passbook/contract/account"
)

func TestOpenAccount(t *testing.T) {
	command := OpenAccount{
		AccountID: "a-1", Holder: "John Doe", Type: contract.Current,
		OpeningBalance: eur(t, "50"), Phone: "+49 30 123", Email: "john@example.com",
	}
	requireDecided(t, command, State{}, contract.Opened{
		AccountHolder: "John Doe", AccountType: contract.Current,
		OpeningBalance: eur(t, "50"), Phone: "+49 30 123", Email: "john@example.com",
	})

	command.Currency = currency(t, "EUR")
	requireDecided(t, command, State{}, contract.Opened{
		AccountHolder: "John Doe", AccountType: contract.Current,
		OpeningBalance: eur(t, "50"), Phone: "+49 30 123", Email: "john@example.com",
	})
}

func TestOpenAccount_Balance(t *testing.T) {
	command := OpenAccount{AccountID: "a-1", Holder: "John Doe", Type: contract.Savings}

	command.Currency = currency(t, "JPY")
	requireDecided(t, command, State{}, opened(money(t, "0", "JPY")))

	command.OpeningBalance = money(t, "0", "JPY")
	requireDecided(t, command, State{}, opened(money(t, "0", "JPY")))

	command.OpeningBalance = contract.Largest(command.Currency)
	requireDecided(t, command, State{}, opened(money(t, "999999999999", "JPY")))

	command.OpeningBalance = eur(t, "1")
	requireRefused(t, command, State{}, CodeCurrencyMismatch, "The account is in JPY, the amount in EUR!")

	command.OpeningBalance = money(t, "-1", "JPY")
	requireRefused(t, command, State{}, CodeInvalidRequest, "openingBalance must not be negative")
	requireField(t, command, State{}, "openingBalance")

	command.Currency, command.OpeningBalance = contract.Currency{}, contract.Money{}
	requireRefused(t, command, State{}, CodeInvalidRequest, "currency must be given")
	requireField(t, command, State{}, "currency")
}

func TestOpenAccount_Fields(t *testing.T) {
	for field, spoil := range map[string]func(*OpenAccount){
		"accountId":     func(c *OpenAccount) { c.AccountID = "a/1" },
		"accountHolder": func(c *OpenAccount) { c.Holder = "" },
		"accountType":   func(c *OpenAccount) { c.Type = "DEPOSIT" },
		"phone":         func(c *OpenAccount) { c.Phone = "1\n2" },
		"email":         func(c *OpenAccount) { c.Email = tooLong },
	} {
		command := OpenAccount{AccountID: "a-1", Holder: "John Doe", Type: contract.Savings, Currency: currency(t, "EUR")}
		requireDecided(t, command, State{}, opened(eur(t, "0")))
		spoil(&command)
		requireField(t, command, State{}, field)

		// What is wrong with the request is said before what is there already.
		requireField(t, command, given(opened(eur(t, "0"))), field)
	}
	requireRefused(t, OpenAccount{AccountID: "a-1", Holder: " ", Type: contract.Savings}, State{},
		CodeInvalidRequest, "accountHolder must not be blank")
}

func TestOpenAccount_Exists(t *testing.T) {
	command := OpenAccount{AccountID: "a-1", Holder: "John Doe", Type: contract.Savings, Currency: currency(t, "EUR")}
	for _, state := range []State{
		given(opened(eur(t, "0"))),
		given(opened(eur(t, "0")), contract.Closed{}),
	} {
		requireRefused(t, command, state, CodeAccountExists, "An account with this ID already exists!")
	}
}
