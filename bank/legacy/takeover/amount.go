package takeover

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/shopspring/decimal"
	"go.mongodb.org/mongo-driver/v2/bson"

	contract "passbook/contract/account"
)

// amount is a number of the original: as it stands there, and as the double that
// the original reckons with.
type amount struct {
	text  string
	value float64
}

// readAmount takes a number of any type that can be exact. The original writes
// doubles; a person who has mended a document may have written another.
func readAmount(v bson.RawValue) (amount, bool) {
	switch v.Type {
	case bson.TypeDouble:
		return amountOf(v.Double()), true
	case bson.TypeInt32:
		return amountOf(float64(v.Int32())), true
	case bson.TypeInt64:
		text := strconv.FormatInt(v.Int64(), 10)
		return amount{text: text, value: float64(v.Int64())}, true
	default:
		return amount{}, false
	}
}

// amountOf writes a double with the fewest digits that give it back, which is
// what the original shows, and what its clients have sent.
func amountOf(f float64) amount {
	return amount{text: shortest(f), value: f}
}

func shortest(f float64) string {
	if a := math.Abs(f); f != 0 && (a >= 1e21 || a < 1e-7) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (a amount) finite() bool { return !math.IsNaN(a.value) && !math.IsInf(a.value, 0) }

// money returns the amount in a currency, or the kind of irregularity that it is.
// The amount is finite.
func (a amount) money(currency contract.Currency) (contract.Money, Kind, error) {
	m, err := contract.ParseLegacyAmount(a.text, currency)
	switch {
	case err == nil:
		return m, "", nil
	case errors.Is(err, contract.ErrAmountDecimals):
		return m, InexactAmount, nil
	case errors.Is(err, contract.ErrAmountLimit):
		return m, OverLimit, nil
	}
	return m, "", fmt.Errorf("amount %s: %w", a.text, err)
}

// rounded is the nearest amount that the currency can express; halves go away
// from zero. It may be beyond the limit.
func (a amount) rounded(currency contract.Currency) (amount, error) {
	exact, err := decimal.NewFromString(a.text)
	if err != nil {
		return amount{}, fmt.Errorf("amount %s: %w", a.text, err)
	}
	near := exact.Round(int32(currency.Decimals())) //nolint:gosec // 0 to 4
	return amount{text: near.String(), value: a.value}, nil
}
