package main

import (
	"errors"
	"fmt"

	"passbook/contract/account"
)

// currencyFlag names the currency of an amount on the command line.
type currencyFlag struct {
	Currency string `complete:"EUR,USD,GBP,CHF,JPY" env:"PASSBOOK_CURRENCY" help:"Currency of the amount, by its ISO 4217 code. Default: EUR." placeholder:"CODE"`
}

const currencyDefault = "EUR"

// money reads an amount. What is no number is a fault of usage; a number that
// money cannot be is a refusal, as the API's would be.
func (f *currencyFlag) money(name, text string) (account.Money, error) {
	code := f.Currency
	if code == "" {
		code = currencyDefault
	}
	currency, err := account.ParseCurrency(code)
	if err != nil {
		return account.Money{}, fmt.Errorf("PASSBOOK_CURRENCY (--currency): %w", err)
	}
	amount, err := account.ParseAmount(text, currency)
	var fault *account.FieldError
	switch {
	case errors.Is(err, account.ErrAmountSyntax):
		return account.Money{}, fmt.Errorf("%s: %q is no amount: want a number such as 12.50", name, text)
	case errors.As(err, &fault):
		return account.Money{}, refusal(fmt.Sprintf("the %s %s", name, fault.Problem))
	case err != nil:
		return account.Money{}, fmt.Errorf("%s: %w", name, err)
	}
	return amount, nil
}

// above0 reads the amount of a deposit or withdrawal.
func (f *currencyFlag) above0(text string) (account.Money, error) {
	amount, err := f.money("amount", text)
	if err == nil && amount.Sign() <= 0 {
		err = refusal(fmt.Sprintf("the amount must be greater than 0, and %s is not", amount))
	}
	return amount, err
}
