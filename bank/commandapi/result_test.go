package commandapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/commandapi"
)

// Results are kept for ever: one of a later program may have more members, or
// stand otherwise, and one that has no balance is not to be taken for 0.
func TestReadResult(t *testing.T) {
	t.Parallel()
	const money = `{"amount":"12.50","currency":"EUR"}`
	for _, kept := range []string{
		`{"balance":` + money + `}`, `{"balance":` + money + `,"more":{"balance":1}}`, `{"more":[],"balance":` + money + `}`,
		"{ \"balance\": {\"currency\":\"EUR\", \"amount\":\"12.50\"} }\n",
	} {
		balance, err := commandapi.BalanceIn(kept)
		require.NoError(t, err, kept)
		require.Equal(t, "12.50 EUR", balance.String(), kept)
	}
	for _, kept := range []string{``, `{}`, `null`, `{"balance":` + money, money, `{"balance":{}}`, `{"balance":` + money + `}}`} {
		_, err := commandapi.BalanceIn(kept)
		require.Error(t, err, kept)
	}
}
