package account

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// recoders holds, for every event version ever published, how a payload of it
// is decoded and encoded again. What is published stays here for ever.
var recoders = map[string]func([]byte) ([]byte, error){
	written(OpenedName, OpenedSchema):       recode[Opened],
	written(DepositedName, DepositedSchema): recode[Deposited],
	written(WithdrawnName, WithdrawnSchema): recode[Withdrawn],
	written(ClosedName, ClosedSchema):       recode[Closed],
}

func written(name string, version int) string { return fmt.Sprintf("%s.v%d", name, version) }

func recode[T any](data []byte) ([]byte, error) {
	var payload T
	if err := json.Unmarshal(data, &payload); err != nil {
		return nil, err
	}
	return json.Marshal(payload)
}

func TestGolden_DecodeAndEncodeGivesTheSameBytes(t *testing.T) {
	for name, recode := range recoders {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("..", "golden", name+".json"))
			require.NoError(t, err, "every event version needs a golden payload")
			got, err := recode(want)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		})
	}
}

func TestGolden_EveryFileBelongsToAKnownVersion(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "golden", "passbook.account.*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(recoders))
	for _, file := range files {
		base := filepath.Base(file)
		require.Contains(t, recoders, base[:len(base)-len(".json")])
	}
}

// The names are in every store and feed: this test is there to be in the way of
// whoever changes one.
func TestWrittenNames(t *testing.T) {
	require.Equal(t, "account", AggregateType)
	for _, name := range []string{
		"passbook.account.opened.v1", "passbook.account.deposited.v1",
		"passbook.account.withdrawn.v1", "passbook.account.closed.v1",
	} {
		require.Contains(t, recoders, name)
	}
	require.Len(t, recoders, 4)
}

func TestPayloads_ToTheByte(t *testing.T) {
	eur := mustCurrency(t, "EUR")
	amount, balance := mustAmount(t, "12.50", eur), mustAmount(t, "1012.50", eur)
	for _, test := range []struct {
		payload any
		want    string
	}{
		{
			Opened{AccountHolder: "John Doe", AccountType: Current, OpeningBalance: Zero(eur)},
			`{"accountHolder":"John Doe","accountType":"CURRENT","openingBalance":{"amount":"0.00","currency":"EUR"}}`,
		},
		{
			Opened{AccountHolder: "John Doe", AccountType: Savings, OpeningBalance: amount, Phone: "1", Email: "a@b"},
			`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":{"amount":"12.50","currency":"EUR"},"phone":"1","email":"a@b"}`,
		},
		{
			Deposited{Amount: amount, Balance: balance},
			`{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"1012.50","currency":"EUR"}}`,
		},
		{
			Deposited{Amount: amount, Balance: balance, Reference: "r"},
			`{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"1012.50","currency":"EUR"},"reference":"r"}`,
		},
		{
			Withdrawn{Amount: amount, Balance: balance},
			`{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"1012.50","currency":"EUR"}}`,
		},
		{
			Withdrawn{Amount: amount, Balance: balance, Reference: "r"},
			`{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"1012.50","currency":"EUR"},"reference":"r"}`,
		},
		{Closed{}, `{}`},
		{Closed{Reason: "moved"}, `{"reason":"moved"}`},
	} {
		data, err := json.Marshal(test.payload)
		require.NoError(t, err)
		require.Equal(t, test.want, string(data))
	}
}

func TestPayload_WithoutMoneyIsNotWritten(t *testing.T) {
	_, err := json.Marshal(Deposited{})
	require.ErrorContains(t, err, "without a currency")
}
