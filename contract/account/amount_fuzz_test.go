package account

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// One currency for each number of decimals.
var fuzzCurrencies = []string{"JPY", "EUR", "KWD", "CLF"}

func addAmountSeeds(f *testing.F) {
	for _, text := range []string{
		"0", "-0", "12.50", "100.10", "0.001", "999999999999.99", "1000000000000", "-7", "007", "+5", ".5", "5.",
		"1.0E7", "1e400", "1e999999999", "1e-999999999", "0e7", `"12.5"`, `"\u0031"`, "NaN", "null", "", "1_0", "٥",
		"9223372036854775808", "0.30000000000000004",
	} {
		for i := range fuzzCurrencies {
			f.Add(text, byte(i))
		}
	}
}

// checkParsed holds what is true of everything that a parser accepts: it is
// within the limit, and its written forms are read back to the same money.
func checkParsed(t *testing.T, m Money, c Currency) {
	require.Equal(t, c, m.Currency())
	require.LessOrEqual(t, m.Minor(), Largest(c).Minor())
	require.GreaterOrEqual(t, m.Minor(), -Largest(c).Minor())

	again, err := ParseAmount(m.Amount(), c)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.Equal(t, m.Amount(), again.Amount())

	again, err = ParseLegacyAmount(m.LegacyNumber(), c)
	require.NoError(t, err)
	require.Equal(t, m, again)
}

// exact is another parser's reading of text. It is asked only where our own
// grammar has bounded the text.
func exact(t *testing.T, text string) decimal.Decimal {
	value, err := decimal.NewFromString(text)
	require.NoError(t, err)
	return value
}

func FuzzParseAmount(f *testing.F) {
	addAmountSeeds(f)
	f.Fuzz(func(t *testing.T, text string, currency byte) {
		c := mustCurrency(t, fuzzCurrencies[int(currency)%len(fuzzCurrencies)])
		m, err := ParseAmount(text, c)
		if err != nil {
			require.Equal(t, Money{}, m)
			return
		}
		checkParsed(t, m, c)
		require.True(t, exact(t, text).Equal(decimal.New(m.Minor(), -int32(c.Decimals()))))
		lenient, err := ParseLegacyAmount(text, c)
		require.NoError(t, err, "version 1 takes whatever version 2 takes")
		require.Equal(t, m, lenient)
	})
}

func FuzzParseLegacyAmount(f *testing.F) {
	addAmountSeeds(f)
	f.Fuzz(func(t *testing.T, text string, currency byte) {
		c := mustCurrency(t, fuzzCurrencies[int(currency)%len(fuzzCurrencies)])
		m, err := ParseLegacyAmount(text, c)
		if err == nil {
			checkParsed(t, m, c)
		} else {
			require.Equal(t, Money{}, m)
		}
		n, ok := scanNumber(text)
		if !ok || len(text) > amountLengthMax || max(n.exponent, -n.exponent) > 1000 {
			return
		}
		// Accepted exactly when the value is a whole number of minor units
		// within the limit, and then it is that number.
		minor := exact(t, text).Shift(int32(c.Decimals()))
		fits := minor.IsInteger() && minor.Abs().LessThanOrEqual(decimal.NewFromInt(Largest(c).Minor()))
		require.Equal(t, fits, err == nil, "%q: %v", text, err)
		if fits {
			require.Equal(t, minor.IntPart(), m.Minor())
		}
	})
}
