package account

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMoney_MarshalJSON(t *testing.T) {
	for _, test := range []struct{ amount, currency, want string }{
		{"12.5", "EUR", `{"amount":"12.50","currency":"EUR"}`},
		{"0", "EUR", `{"amount":"0.00","currency":"EUR"}`},
		{"-0.07", "EUR", `{"amount":"-0.07","currency":"EUR"}`},
		{"50", "JPY", `{"amount":"50","currency":"JPY"}`},
		{"1.5", "KWD", `{"amount":"1.500","currency":"KWD"}`},
		{"10000000", "EUR", `{"amount":"10000000.00","currency":"EUR"}`},
	} {
		data, err := json.Marshal(mustAmount(t, test.amount, mustCurrency(t, test.currency)))
		require.NoError(t, err)
		require.Equal(t, test.want, string(data))
	}
	_, err := json.Marshal(Money{})
	require.Error(t, err)
}

func TestMoney_UnmarshalJSON(t *testing.T) {
	want := mustAmount(t, "12.50", mustCurrency(t, "EUR"))
	for _, text := range []string{
		`{"amount":"12.50","currency":"EUR"}`,
		`{"currency":"EUR","amount":"12.50"}`,
		`{"amount":"12.5\u0030","currency":"EUR"}`,
		" {\n\t\"amount\" : \"12.50\" , \"currency\" : \"EUR\" } ",
	} {
		var got Money
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got)
	}
}

func TestMoney_UnmarshalJSON_Refused(t *testing.T) {
	for name, text := range map[string]string{
		"fewer decimals":          `{"amount":"12.5","currency":"EUR"}`,
		"no decimals":             `{"amount":"12","currency":"EUR"}`,
		"more decimals":           `{"amount":"12.500","currency":"EUR"}`,
		"decimals in yen":         `{"amount":"12.0","currency":"JPY"}`,
		"minus zero":              `{"amount":"-0.00","currency":"EUR"}`,
		"number":                  `{"amount":12.50,"currency":"EUR"}`,
		"exponent":                `{"amount":"1e1","currency":"EUR"}`,
		"over the limit":          `{"amount":"1000000000000.00","currency":"EUR"}`,
		"currency unknown":        `{"amount":"12.50","currency":"ABC"}`,
		"currency in small":       `{"amount":"12.50","currency":"eur"}`,
		"currency missing":        `{"amount":"12.50"}`,
		"amount missing":          `{"currency":"EUR"}`,
		"empty":                   `{}`,
		"null amount":             `{"amount":null,"currency":"EUR"}`,
		"nested":                  `{"amount":{"amount":"1.00"},"currency":"EUR"}`,
		"unknown member":          `{"amount":"12.50","currency":"EUR","scale":"2"}`,
		"repeated member":         `{"amount":"12.50","amount":"12.50","currency":"EUR"}`,
		"member in another case":  `{"Amount":"12.50","currency":"EUR"}`,
		"second in another case":  `{"amount":"1.00","Amount":"-7.00","currency":"EUR"}`,
		"repeated in the frame":   `{"amount":"1.00","currency":"EUR","currency":"EUR"}`,
		"repeated amount, framed": `{"amount":"1.00","amount":"2.00","currency":"EUR"}`,
		"unknown in the frame":    `{"amount":"12.50","currency":"EUR","x":"y"}`,
		"null":                    `null`,
		"array":                   `["12.50","EUR"]`,
		"string":                  `"12.50 EUR"`,
		"the number by itself":    `12.50`,
		"amount with white space": `{"amount":" 12.50","currency":"EUR"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := Money{}
			require.Error(t, json.Unmarshal([]byte(text), &got))
			require.Equal(t, Money{}, got)
		})
	}
}

// Decoders other than encoding/json may hand over bytes that they have not
// checked to the end.
func TestMoney_UnmarshalJSON_UncheckedBytes(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"amount"`, `{"amount":`, `{"amount":"12.50"`, `{"amount":"12.50",`,
		`{"amount":"12.50","currency":"EUR"`, `{"amount":"12.50","currency":"EUR"}}`,
		`{"amount":"12.50","currency":"EUR"} 1`, `{"amount":"12.50" "currency":"EUR"}`, `{1:"12.50"}`,
	} {
		got := Money{}
		require.Error(t, got.UnmarshalJSON([]byte(text)), text)
		require.Equal(t, Money{}, got)
	}
}

// White space around it sends the same object down the other road, through the
// decoder: both must give the same answer to everything.
func FuzzMoney_UnmarshalJSON(f *testing.F) {
	for _, text := range []string{
		`{"amount":"12.50","currency":"EUR"}`, `{"currency":"EUR","amount":"12.50"}`, `{"amount":"12.5","currency":"EUR"}`,
		`{"amount":"1.00","amount":"2.00","currency":"EUR"}`, `{"amount":"1.00","currency":"EUR","currency":"EUR"}`,
		`{"amount":"\u0031.00","currency":"EUR"}`, `{"amount":"50","currency":"JPY"}`, `{"amount":"","currency":""}`,
		`{"amount":"-0.00","currency":"EUR"}`, `{"amount":"12.50","currency":"EUR"}}`, `{}`, `null`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var direct, decoded Money
		errDirect, errDecoded := direct.UnmarshalJSON([]byte(text)), decoded.UnmarshalJSON([]byte(" "+text))
		require.Equal(t, errDecoded == nil, errDirect == nil, "%v / %v", errDirect, errDecoded)
		require.Equal(t, decoded, direct)
		if errDirect == nil {
			data, err := json.Marshal(direct)
			require.NoError(t, err)
			var again Money
			require.NoError(t, json.Unmarshal(data, &again))
			require.Equal(t, direct, again)
		}
	})
}
