package account

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	// ErrBalanceLimit is returned by Add and Sub for a result beyond the limit.
	ErrBalanceLimit = errors.New("balance would pass the limit")
	// ErrCurrencyMismatch is returned by Add and Sub for two currencies.
	ErrCurrencyMismatch = errors.New("currencies differ")
)

// integerDigitsMax bounds amounts and balances in every currency to what has
// twelve digits before the point: 999,999,999,999.99 in EUR. With at most four
// decimals the sum of any two fits an int64 many times over, so Add and Sub
// cannot overflow before they compare.
const integerDigitsMax = 12

// Money is an exact amount in one currency, kept as an integer of minor units.
// It may be negative, so that a caller can name a wrong sign; it is never
// beyond ±999,999,999,999 and the currency's decimals. The zero value has no
// currency and stands for "none given": it has no JSON form. Values are
// compared with ==.
//
// Money has no IsZero method on purpose: with one, the JSON option omitzero
// would drop a balance of 0.00 EUR as if it had not been given.
type Money struct {
	minor    int64
	currency Currency
}

// NewMoney takes minor units: 1250 in EUR is 12.50. An amount beyond the limit
// is a *FieldError that wraps ErrAmountLimit; a zero currency one that wraps
// ErrCurrencyUnknown.
func NewMoney(minor int64, c Currency) (Money, error) {
	if c.IsZero() {
		return Money{}, &FieldError{Field: "currency", Problem: "must be given", Err: ErrCurrencyUnknown}
	}
	if limit := minorMax(c); minor > limit || minor < -limit {
		return Money{}, amountLimit(c)
	}
	return Money{minor: minor, currency: c}, nil
}

// Zero is an amount of nothing in c.
func Zero(c Currency) Money { return Money{currency: c} }

// Largest is the greatest amount, and the greatest balance, in c.
func Largest(c Currency) Money { return Money{minor: minorMax(c), currency: c} }

// Minor is the amount in minor units.
func (m Money) Minor() int64 { return m.minor }

// Currency is the zero Currency only for the zero Money.
func (m Money) Currency() Currency { return m.currency }

// Sign is -1, 0 or 1.
func (m Money) Sign() int {
	switch {
	case m.minor < 0:
		return -1
	case m.minor > 0:
		return 1
	}
	return 0
}

// Add returns m+other, ErrCurrencyMismatch or ErrBalanceLimit.
func (m Money) Add(other Money) (Money, error) {
	return m.plus(other, other.minor)
}

// Sub returns m-other, ErrCurrencyMismatch or ErrBalanceLimit. The result may
// be negative: whether that is allowed is the account's decision.
func (m Money) Sub(other Money) (Money, error) {
	return m.plus(other, -other.minor)
}

func (m Money) plus(other Money, minor int64) (Money, error) {
	if m.currency != other.currency {
		return Money{}, fmt.Errorf("%w: %q and %q", ErrCurrencyMismatch, m.currency.code, other.currency.code)
	}
	sum := m.minor + minor
	if limit := minorMax(m.currency); sum > limit || sum < -limit {
		return Money{}, fmt.Errorf("%w of %s", ErrBalanceLimit, Largest(m.currency))
	}
	return Money{minor: sum, currency: m.currency}, nil
}

// Amount is the decimal text with exactly the currency's decimals: "12.50" in
// EUR, "50" in JPY, "-0.07". ParseAmount reads it back to the same Money.
func (m Money) Amount() string {
	sign, digits := "", strconv.FormatInt(m.minor, 10)
	if m.minor < 0 {
		sign, digits = "-", digits[1:]
	}
	decimals := m.currency.decimals
	if decimals == 0 {
		return sign + digits
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - decimals
	return sign + digits[:point] + "." + digits[point:]
}

// String is for people and logs: "12.50 EUR".
func (m Money) String() string {
	if m.currency.IsZero() {
		return "no money"
	}
	return m.Amount() + " " + m.currency.code
}

func minorMax(c Currency) int64 { return pow10(integerDigitsMax+c.decimals) - 1 }

// pow10 is exact for n from 0 to 18.
func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
