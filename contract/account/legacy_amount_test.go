package account

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseLegacyAmount(t *testing.T) {
	for _, test := range []struct {
		raw, currency string
		minor         int64
	}{
		{`50`, "EUR", 5000}, {`50.0`, "EUR", 5000}, {`100.1`, "EUR", 10010}, {`100.10`, "EUR", 10010},
		{`100.1000`, "EUR", 10010}, {`1.0E7`, "EUR", 1000000000}, {`1.0e+7`, "EUR", 1000000000},
		{`1.0E-2`, "EUR", 1}, {`1250e-2`, "EUR", 1250}, {`12.5E1`, "EUR", 12500}, {`9.9999999999999E11`, "EUR", 99999999999999},
		{`"12.5"`, "EUR", 1250}, {`"1.0E7"`, "EUR", 1000000000}, {`"\u0031"`, "EUR", 100},
		{`0`, "EUR", 0}, {`0.0`, "EUR", 0}, {`-0.0`, "EUR", 0}, {`0e999999999`, "EUR", 0}, {`0.000`, "EUR", 0},
		{`-7`, "EUR", -700}, {`-20.50`, "EUR", -2050}, {`"-7"`, "EUR", -700},
		{`50.0`, "JPY", 50}, {`1.0E7`, "JPY", 10000000}, {`1.2345`, "CLF", 12345},
		{`10000000000000000e-5`, "EUR", 10000000000000}, // trailing zeros, whatever the exponent
	} {
		m, err := ParseLegacyAmount(test.raw, mustCurrency(t, test.currency))
		require.NoError(t, err, test.raw)
		require.Equal(t, test.minor, m.Minor(), test.raw)
	}
}

func TestParseLegacyAmount_Refused(t *testing.T) {
	for _, test := range []struct {
		raw, currency string
		want          error
	}{
		{`NaN`, "EUR", ErrAmountSyntax},
		{`"NaN"`, "EUR", ErrAmountSyntax},
		{`"Infinity"`, "EUR", ErrAmountSyntax},
		{`null`, "EUR", ErrAmountSyntax},
		{`true`, "EUR", ErrAmountSyntax},
		{`{}`, "EUR", ErrAmountSyntax},
		{``, "EUR", ErrAmountSyntax},
		{`""`, "EUR", ErrAmountSyntax},
		{`"`, "EUR", ErrAmountSyntax},
		{`"5`, "EUR", ErrAmountSyntax},
		{`" 5"`, "EUR", ErrAmountSyntax},
		{`"\"5\""`, "EUR", ErrAmountSyntax},
		{`+5`, "EUR", ErrAmountSyntax},
		{`.5`, "EUR", ErrAmountSyntax},
		{`5.`, "EUR", ErrAmountSyntax},
		{`05`, "EUR", ErrAmountSyntax},
		{`1e`, "EUR", ErrAmountSyntax},
		{`1e+`, "EUR", ErrAmountSyntax},
		{`1e1.5`, "EUR", ErrAmountSyntax},
		{`1e1e1`, "EUR", ErrAmountSyntax},
		{`1f`, "EUR", ErrAmountSyntax},
		{`0x1p3`, "EUR", ErrAmountSyntax},
		{`1e9999999999`, "EUR", ErrAmountSyntax},
		{`1e-9999999999`, "EUR", ErrAmountSyntax},
		{`1e99999999999999999999999999`, "EUR", ErrAmountSyntax},
		{strings.Repeat("1", 1<<20), "EUR", ErrAmountSyntax},
		{`0.001`, "EUR", ErrAmountDecimals},
		{`100.101`, "EUR", ErrAmountDecimals},
		{`137.29999999999998`, "EUR", ErrAmountDecimals},
		{`0.30000000000000004`, "EUR", ErrAmountDecimals},
		{`1.0E-3`, "EUR", ErrAmountDecimals},
		{`1e-999999999`, "EUR", ErrAmountDecimals},
		{`4.9E-324`, "EUR", ErrAmountDecimals},
		{`50.5`, "JPY", ErrAmountDecimals},
		{`1e12`, "EUR", ErrAmountLimit},
		{`-1e12`, "EUR", ErrAmountLimit},
		{`1000000000000`, "JPY", ErrAmountLimit},
		{`1e400`, "EUR", ErrAmountLimit},
		{`1e999999999`, "EUR", ErrAmountLimit},
		{`1.7976931348623157E308`, "EUR", ErrAmountLimit},
	} {
		m, err := ParseLegacyAmount(test.raw, mustCurrency(t, test.currency))
		require.ErrorIs(t, err, test.want, "%.70q", test.raw)
		require.Equal(t, Money{}, m)
	}
}

func TestMoney_LegacyNumber(t *testing.T) {
	for _, test := range []struct{ amount, currency, want string }{
		{"50.00", "EUR", "50.0"}, {"137.30", "EUR", "137.3"}, {"100.01", "EUR", "100.01"}, {"0.00", "EUR", "0.0"},
		{"10000000", "EUR", "10000000.0"}, {"999999999999.99", "EUR", "999999999999.99"}, {"-7", "EUR", "-7.0"},
		{"0.01", "EUR", "0.01"}, {"100", "EUR", "100.0"},
		{"50", "JPY", "50.0"}, {"0", "JPY", "0.0"}, {"1000", "JPY", "1000.0"},
		{"1.2300", "CLF", "1.23"}, {"0.0001", "CLF", "0.0001"},
	} {
		got := mustAmount(t, test.amount, mustCurrency(t, test.currency)).LegacyNumber()
		require.Equal(t, test.want, got)
		require.True(t, json.Valid([]byte(got)))
	}
}
