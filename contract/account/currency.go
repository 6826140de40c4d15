package account

import "errors"

// ErrCurrencyUnknown is what a *FieldError of ParseCurrency wraps.
var ErrCurrencyUnknown = errors.New("currency unknown")

// Currency is an active ISO 4217 currency with a number of decimals. The zero
// value stands for "none named" and is the only one that ParseCurrency does not
// give out. Currencies are compared with ==.
type Currency struct {
	code     string
	decimals int
}

// ParseCurrency takes a three-letter code in capitals, as ISO 4217 writes it.
// Anything else is a *FieldError that wraps ErrCurrencyUnknown.
func ParseCurrency(code string) (Currency, error) {
	decimals, ok := decimalsOf(code)
	if !ok {
		return Currency{}, &FieldError{
			Field:   "currency",
			Problem: "must be an active ISO 4217 code in capitals, such as EUR",
			Err:     ErrCurrencyUnknown,
		}
	}
	return Currency{code: code, decimals: decimals}, nil
}

// Code is the three-letter code, empty for the zero value.
func (c Currency) Code() string { return c.code }

// Decimals is the number of digits behind the point: 0 to 4.
func (c Currency) Decimals() int { return c.decimals }

// IsZero tells whether no currency was named.
func (c Currency) IsZero() bool { return c == Currency{} }

// String is Code.
func (c Currency) String() string { return c.code }
