package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	contract "passbook/contract/account"
)

type decider interface {
	Decide(State) ([]any, error)
}

func eur(t require.TestingT, amount string) contract.Money { return money(t, amount, "EUR") }

func money(t require.TestingT, amount, currency string) contract.Money {
	m, err := contract.ParseMoney(amount, currency)
	require.NoError(t, err)
	return m
}

func currency(t require.TestingT, code string) contract.Currency {
	c, err := contract.ParseCurrency(code)
	require.NoError(t, err)
	return c
}

func given(events ...any) State {
	var s State
	for _, event := range events {
		s = Evolve(s, event)
	}
	return s
}

func opened(balance contract.Money) contract.Opened {
	return contract.Opened{AccountHolder: "John Doe", AccountType: contract.Savings, OpeningBalance: balance}
}

// requireRefused checks the code and the whole sentence, since both are read by
// clients, and that a refused command has no events.
func requireRefused(t *testing.T, c decider, s State, code Code, message string) {
	t.Helper()
	events, err := c.Decide(s)
	require.Empty(t, events)
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal, "want a refusal, got %v", err)
	require.Equal(t, code, refusal.Code)
	require.Equal(t, message, refusal.Message)
	require.EqualError(t, err, message)
}

func requireField(t *testing.T, c decider, s State, field string) {
	t.Helper()
	_, err := c.Decide(s)
	var fault *contract.FieldError
	require.ErrorAs(t, err, &fault, "%v", err)
	require.Equal(t, field, fault.Field)
}

func requireDecided(t *testing.T, c decider, s State, want any) {
	t.Helper()
	events, err := c.Decide(s)
	require.NoError(t, err)
	require.Equal(t, []any{want}, events)
}

// tooLong breaks the rule of every text field.
var tooLong = strings.Repeat("x", contract.TextLengthMax+1)
