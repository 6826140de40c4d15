package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCurrency(t *testing.T) {
	for code, decimals := range map[string]int{
		"EUR": 2, "USD": 2, "CHF": 2, "JPY": 0, "KRW": 0, "ISK": 0, "BHD": 3, "TND": 3, "CLF": 4, "UYW": 4,
		"SLE": 2, "VED": 2, "XCG": 2, "XAD": 2, "ZWG": 2, // the youngest
	} {
		c, err := ParseCurrency(code)
		require.NoError(t, err, code)
		require.Equal(t, code, c.Code())
		require.Equal(t, decimals, c.Decimals(), code)
		require.False(t, c.IsZero())
	}
}

func TestParseCurrency_Unknown(t *testing.T) {
	for _, code := range []string{
		"", "eur", "Eur", "EU", "EURO", " EUR", "978", "ABC", "ЕUR", // the last begins with a Cyrillic letter
		"HRK", "BGN", "ANG", "CUC", "DEM", // withdrawn
		"XAU", "XDR", "XXX", "XTS", // without a number of decimals
	} {
		c, err := ParseCurrency(code)
		require.ErrorIs(t, err, ErrCurrencyUnknown, code)
		var field *FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, "currency", field.Field)
		require.True(t, c.IsZero())
	}
}

// Counting over all codes that can be written finds an entry that was lost or
// that slipped into another group. The counts are those of the published list.
func TestParseCurrency_CompleteList(t *testing.T) {
	count := map[int]int{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if currency, err := ParseCurrency(string([]rune{a, b, c})); err == nil {
					count[currency.Decimals()]++
				}
			}
		}
	}
	require.Equal(t, map[int]int{0: 17, 2: 139, 3: 7, 4: 2}, count)
}
