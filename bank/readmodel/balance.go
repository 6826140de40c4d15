package readmodel

import (
	"math"
	"math/big"

	"passbook/contract/account"
)

// Comparison says on which side of a number a balance is to be.
type Comparison int

// The comparisons are strict: a balance that equals the number is on neither
// side.
const (
	Above Comparison = iota + 1
	Below
)

// unitDecimals is the scale of balance_units: no currency has more decimals.
const unitDecimals = 4

// unitsPerOne is how many units make 1 of any currency.
const unitsPerOne = 10_000

// units is an amount on the scale of balance_units. The largest there is has 16
// digits there.
func units(m account.Money) int64 {
	n := m.Minor()
	for range unitDecimals - m.Currency().Decimals() {
		n *= 10
	}
	return n
}

// limit returns the whole number of units that balances are compared with: those
// above (or below) it are exactly those above (or below) number, however many
// decimals that has.
func (c Comparison) limit(number *big.Rat) int64 {
	if c == Below {
		return unitsUp(number)
	}
	return unitsDown(number)
}

// unitsDown and unitsUp return the greatest whole number of units that is not
// above number, and the least that is not below it.
func unitsDown(number *big.Rat) int64 { return wholeUnits(number, false) }
func unitsUp(number *big.Rat) int64   { return wholeUnits(number, true) }

func wholeUnits(number *big.Rat, up bool) int64 {
	units := new(big.Rat).Mul(number, big.NewRat(unitsPerOne, 1))
	// Euclid's division rounds towards minus infinity here: the denominator is
	// positive.
	whole := new(big.Int).Div(units.Num(), units.Denom())
	if up && !units.IsInt() {
		whole.Add(whole, big.NewInt(1))
	}
	switch {
	case whole.IsInt64():
		return whole.Int64()
	case whole.Sign() < 0:
		return math.MinInt64 // no balance is as far from 0
	default:
		return math.MaxInt64
	}
}
