package account

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	contract "passbook/contract/account"
)

func TestEvolve(t *testing.T) {
	require.False(t, State{}.Exists())
	require.False(t, State{}.Closed())

	open := given(opened(eur(t, "50")))
	require.Equal(t, State{
		Status: contract.StatusOpen, Holder: "John Doe", Type: contract.Savings, Balance: eur(t, "50"),
	}, open)
	require.True(t, open.Exists())
	require.False(t, open.Closed())

	deposited := Evolve(open, contract.Deposited{Amount: eur(t, "1"), Balance: eur(t, "51")})
	require.Equal(t, eur(t, "51"), deposited.Balance)
	require.Equal(t, eur(t, "50"), open.Balance, "the state before stays")

	withdrawn := Evolve(deposited, contract.Withdrawn{Amount: eur(t, "2"), Balance: eur(t, "49")})
	require.Equal(t, eur(t, "49"), withdrawn.Balance)

	closed := Evolve(withdrawn, contract.Closed{Reason: "Moved"})
	require.True(t, closed.Exists())
	require.True(t, closed.Closed())
	require.Equal(t, eur(t, "49"), closed.Balance)
}

func TestEvolve_UnknownPayload(t *testing.T) {
	for _, payload := range []any{nil, "text", &contract.Closed{}, struct{}{}} {
		require.Panics(t, func() { Evolve(State{}, payload) })
	}
}

// The JSON form is in snapshots. If this test is in the way, SnapshotSchema is
// to be raised.
func TestState_JSON(t *testing.T) {
	require.Equal(t, 1, SnapshotSchema)
	for want, state := range map[string]State{
		`{}`: {},
		`{"status":"OPEN","accountHolder":"John Doe","accountType":"SAVINGS","balance":{"amount":"0.00","currency":"EUR"}}`:    given(opened(eur(t, "0"))),
		`{"status":"CLOSED","accountHolder":"John Doe","accountType":"SAVINGS","balance":{"amount":"50.00","currency":"EUR"}}`: given(opened(eur(t, "50")), contract.Closed{}),
	} {
		data, err := json.Marshal(state)
		require.NoError(t, err)
		require.Equal(t, want, string(data))
		var back State
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, state, back)
	}
}
