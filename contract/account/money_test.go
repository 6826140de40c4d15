package account

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func mustCurrency(t require.TestingT, code string) Currency {
	c, err := ParseCurrency(code)
	require.NoError(t, err)
	return c
}

func mustAmount(t require.TestingT, text string, c Currency) Money {
	m, err := ParseAmount(text, c)
	require.NoError(t, err)
	return m
}

// drawMoney covers each number of decimals and the whole range, both ends and
// both signs.
func drawMoney(t *rapid.T) Money {
	c := mustCurrency(t, rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "CLF"}).Draw(t, "currency"))
	limit := Largest(c).Minor()
	m, err := NewMoney(rapid.Int64Range(-limit, limit).Draw(t, "minor"), c)
	require.NoError(t, err)
	return m
}

func TestLargest_HasTwelveDigitsBeforeThePoint(t *testing.T) {
	for code, want := range map[string]string{
		"EUR": "999999999999.99", "JPY": "999999999999", "KWD": "999999999999.999", "CLF": "999999999999.9999",
	} {
		require.Equal(t, want, Largest(mustCurrency(t, code)).Amount())
	}
}

func TestNewMoney(t *testing.T) {
	eur := mustCurrency(t, "EUR")
	limit := Largest(eur).Minor()
	for _, minor := range []int64{0, 1, -1, 1250, limit, -limit} {
		m, err := NewMoney(minor, eur)
		require.NoError(t, err)
		require.Equal(t, minor, m.Minor())
		require.Equal(t, eur, m.Currency())
	}
	for _, minor := range []int64{limit + 1, -limit - 1, math.MaxInt64, math.MinInt64} {
		_, err := NewMoney(minor, eur)
		require.ErrorIs(t, err, ErrAmountLimit)
	}
	_, err := NewMoney(1, Currency{})
	require.ErrorIs(t, err, ErrCurrencyUnknown)
}

func TestMoney_Amount(t *testing.T) {
	for _, test := range []struct {
		minor    int64
		currency string
		want     string
	}{
		{0, "EUR", "0.00"}, {1, "EUR", "0.01"}, {10, "EUR", "0.10"}, {100, "EUR", "1.00"}, {1250, "EUR", "12.50"},
		{-7, "EUR", "-0.07"}, {-1250, "EUR", "-12.50"},
		{0, "JPY", "0"}, {50, "JPY", "50"}, {-50, "JPY", "-50"},
		{1, "KWD", "0.001"}, {12345, "KWD", "12.345"}, {1, "CLF", "0.0001"},
	} {
		m, err := NewMoney(test.minor, mustCurrency(t, test.currency))
		require.NoError(t, err)
		require.Equal(t, test.want, m.Amount())
		require.Equal(t, test.want+" "+test.currency, m.String())
	}
	require.Equal(t, "no money", Money{}.String())
}

func TestMoney_AddSub(t *testing.T) {
	eur := mustCurrency(t, "EUR")
	a, b := mustAmount(t, "0.10", eur), mustAmount(t, "0.20", eur)

	sum, err := a.Add(b)
	require.NoError(t, err)
	require.Equal(t, "0.30", sum.Amount())

	difference, err := a.Sub(b)
	require.NoError(t, err)
	require.Equal(t, "-0.10", difference.Amount())
	require.Equal(t, -1, difference.Sign())
}

func TestMoney_AddSub_Refused(t *testing.T) {
	eur, jpy := mustCurrency(t, "EUR"), mustCurrency(t, "JPY")
	cent := mustAmount(t, "0.01", eur)

	_, err := Largest(eur).Add(cent)
	require.ErrorIs(t, err, ErrBalanceLimit)
	require.ErrorContains(t, err, "999999999999.99 EUR")
	_, err = mustAmount(t, "-999999999999.99", eur).Sub(cent)
	require.ErrorIs(t, err, ErrBalanceLimit)
	_, err = Largest(mustCurrency(t, "CLF")).Add(Largest(mustCurrency(t, "CLF")))
	require.ErrorIs(t, err, ErrBalanceLimit)

	for _, other := range []Money{Zero(jpy), Zero(mustCurrency(t, "USD")), {}} {
		_, err = cent.Add(other)
		require.ErrorIs(t, err, ErrCurrencyMismatch)
		_, err = cent.Sub(other)
		require.ErrorIs(t, err, ErrCurrencyMismatch)
	}
}

func TestMoney_SubUndoesAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawMoney(t), drawMoney(t)
		sum, err := a.Add(b)
		switch {
		case a.Currency() != b.Currency():
			require.ErrorIs(t, err, ErrCurrencyMismatch)
		case a.Minor()+b.Minor() > Largest(a.Currency()).Minor(), -a.Minor()-b.Minor() > Largest(a.Currency()).Minor():
			require.ErrorIs(t, err, ErrBalanceLimit)
		default:
			require.NoError(t, err)
			back, err := sum.Sub(b)
			require.NoError(t, err)
			require.Equal(t, a, back)
		}
	})
}

func TestMoney_EveryFormIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMoney(t)

		parsed, err := ParseAmount(m.Amount(), m.Currency())
		require.NoError(t, err)
		require.Equal(t, m, parsed)

		parsed, err = ParseLegacyAmount(m.LegacyNumber(), m.Currency())
		require.NoError(t, err)
		require.Equal(t, m, parsed)

		data, err := json.Marshal(m)
		require.NoError(t, err)
		var decoded Money
		require.NoError(t, json.Unmarshal(data, &decoded))
		require.Equal(t, m, decoded)
	})
}
