package account

import (
	"errors"
	"fmt"
)

// What a *FieldError of the amount parsers wraps.
var (
	// ErrAmountSyntax: not a number in the form that the parser takes.
	ErrAmountSyntax = errors.New("amount is not a number of the expected form")
	// ErrAmountDecimals: the currency cannot express it. It is never rounded.
	ErrAmountDecimals = errors.New("amount has too many decimals")
	// ErrAmountLimit: further from zero than Largest of the currency.
	ErrAmountLimit = errors.New("amount is beyond the limit")
)

// amountLengthMax leaves room for more than any amount within the limit needs,
// so that one which is only too large is told so. It bounds the work on text
// from outside.
const amountLengthMax = 64

// ParseAmount reads a plain decimal such as "12.50", "12.5" or "-7": digits, at
// most one point with digits on both sides, a minus sign or none. Plus signs,
// exponents, leading zeros, white space and groups of digits are refused, as is
// a number with more decimals than c has, even if the last of them are zeros.
// A negative amount is given back as one, so that the caller can name the fault.
//
// Every error is a *FieldError for the field "amount" that wraps
// ErrAmountSyntax, ErrAmountDecimals or ErrAmountLimit; only a zero c gives one
// for "currency" that wraps ErrCurrencyUnknown.
func ParseAmount(text string, c Currency) (Money, error) {
	if len(text) > amountLengthMax {
		return Money{}, amountLength()
	}
	n, ok := scanNumber(text)
	if !ok || n.hasExponent {
		return Money{}, &FieldError{
			Field:   "amount",
			Problem: "must be a plain decimal number such as 12.50",
			Err:     ErrAmountSyntax,
		}
	}
	if !c.IsZero() && n.fraction > c.decimals {
		return Money{}, amountDecimals(c)
	}
	return n.money(c)
}

// ParseMoney is ParseCurrency and ParseAmount in one, for the two texts of
// {"amount":"12.50","currency":"EUR"} as a client sends them.
func ParseMoney(amount, currency string) (Money, error) {
	c, err := ParseCurrency(currency)
	if err != nil {
		return Money{}, err
	}
	return ParseAmount(amount, c)
}

func amountLength() *FieldError {
	return &FieldError{
		Field:   "amount",
		Problem: fmt.Sprintf("must not be longer than %d characters", amountLengthMax),
		Err:     ErrAmountSyntax,
	}
}

func amountDecimals(c Currency) *FieldError {
	return &FieldError{
		Field:   "amount",
		Problem: fmt.Sprintf("must not have more than the %d decimals of %s", c.decimals, c.code),
		Err:     ErrAmountDecimals,
	}
}

func amountLimit(c Currency) *FieldError {
	return &FieldError{
		Field:   "amount",
		Problem: "must not be beyond " + Largest(c).String(),
		Err:     ErrAmountLimit,
	}
}
