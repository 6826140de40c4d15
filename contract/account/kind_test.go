package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseType(t *testing.T) {
	for _, want := range []Type{Savings, Current} {
		got, err := ParseType(string(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "savings", "Savings", "SAVINGS ", "0", "DEPOSIT"} {
		_, err := ParseType(text)
		require.EqualError(t, err, "accountType must be SAVINGS or CURRENT", text)
	}
}

func TestType_OrdinalsAreThoseOfTheReadTable(t *testing.T) {
	for want, kind := range []Type{"SAVINGS", "CURRENT"} {
		ordinal, ok := kind.Ordinal()
		require.True(t, ok)
		require.Equal(t, want, ordinal)
		back, ok := TypeOfOrdinal(ordinal)
		require.True(t, ok)
		require.Equal(t, kind, back)
	}
	_, ok := Type("").Ordinal()
	require.False(t, ok)
	for _, ordinal := range []int{-1, 2} {
		_, ok := TypeOfOrdinal(ordinal)
		require.False(t, ok)
	}
}
