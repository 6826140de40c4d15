package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseAmount(t *testing.T) {
	for _, test := range []struct {
		text, currency string
		minor          int64
	}{
		{"0", "EUR", 0}, {"0.00", "EUR", 0}, {"-0", "EUR", 0},
		{"12.50", "EUR", 1250}, {"12.5", "EUR", 1250}, {"12", "EUR", 1200}, {"100.10", "EUR", 10010},
		{"0.01", "EUR", 1}, {"-7", "EUR", -700}, {"-0.07", "EUR", -7},
		{"999999999999.99", "EUR", 99999999999999}, {"-999999999999.99", "EUR", -99999999999999},
		{"50", "JPY", 50}, {"999999999999", "JPY", 999999999999},
		{"1.234", "KWD", 1234}, {"0.0001", "CLF", 1}, {"999999999999.9999", "CLF", 9999999999999999},
	} {
		m, err := ParseAmount(test.text, mustCurrency(t, test.currency))
		require.NoError(t, err, test.text)
		require.Equal(t, test.minor, m.Minor(), test.text)
	}
}

func TestParseAmount_Refused(t *testing.T) {
	for _, test := range []struct {
		text, currency string
		want           error
	}{
		{"", "EUR", ErrAmountSyntax},
		{"+5", "EUR", ErrAmountSyntax},
		{".5", "EUR", ErrAmountSyntax},
		{"5.", "EUR", ErrAmountSyntax},
		{"-", "EUR", ErrAmountSyntax},
		{"--5", "EUR", ErrAmountSyntax},
		{"- 5", "EUR", ErrAmountSyntax},
		{".", "EUR", ErrAmountSyntax},
		{"1.2.3", "EUR", ErrAmountSyntax},
		{"1e2", "EUR", ErrAmountSyntax},
		{"1E2", "EUR", ErrAmountSyntax},
		{"1e400", "EUR", ErrAmountSyntax},
		{"0x10", "EUR", ErrAmountSyntax},
		{"1_000", "EUR", ErrAmountSyntax},
		{"1,000.00", "EUR", ErrAmountSyntax},
		{"12,50", "EUR", ErrAmountSyntax},
		{"007", "EUR", ErrAmountSyntax},
		{"00", "EUR", ErrAmountSyntax},
		{" 5", "EUR", ErrAmountSyntax},
		{"5 ", "EUR", ErrAmountSyntax},
		{"5\n", "EUR", ErrAmountSyntax},
		{"5\x00", "EUR", ErrAmountSyntax},
		{"٥", "EUR", ErrAmountSyntax}, // a digit, but not one of ours
		{"NaN", "EUR", ErrAmountSyntax},
		{"Infinity", "EUR", ErrAmountSyntax},
		{"null", "EUR", ErrAmountSyntax},
		{`"5"`, "EUR", ErrAmountSyntax},
		{strings.Repeat("0", 65), "EUR", ErrAmountSyntax},
		{strings.Repeat("9", 1<<20), "EUR", ErrAmountSyntax},
		{"0.001", "EUR", ErrAmountDecimals},
		{"12.500", "EUR", ErrAmountDecimals},
		{"50.0", "JPY", ErrAmountDecimals},
		{"0.00001", "CLF", ErrAmountDecimals},
		{"1000000000000", "EUR", ErrAmountLimit},
		{"-1000000000000", "EUR", ErrAmountLimit},
		{"1000000000000", "JPY", ErrAmountLimit},
		{strings.Repeat("9", 64), "EUR", ErrAmountLimit},
		{"9223372036854775808", "JPY", ErrAmountLimit}, // one more than an int64
	} {
		m, err := ParseAmount(test.text, mustCurrency(t, test.currency))
		require.ErrorIs(t, err, test.want, "%.70q", test.text)
		require.Equal(t, Money{}, m)
		var field *FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, "amount", field.Field)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestParseAmount_NoCurrency(t *testing.T) {
	for _, text := range []string{"1", "1.5", "0"} {
		_, err := ParseAmount(text, Currency{})
		require.ErrorIs(t, err, ErrCurrencyUnknown)
		_, err = ParseLegacyAmount(text, Currency{})
		require.ErrorIs(t, err, ErrCurrencyUnknown)
	}
}

func TestParseMoney(t *testing.T) {
	m, err := ParseMoney("12.5", "EUR")
	require.NoError(t, err)
	require.Equal(t, "12.50 EUR", m.String())
	_, err = ParseMoney("12.5", "EURO")
	require.ErrorIs(t, err, ErrCurrencyUnknown)
	_, err = ParseMoney("12.5", "JPY")
	require.ErrorIs(t, err, ErrAmountDecimals)
}
