package account

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	contract "passbook/contract/account"
)

// drawAmount reaches both signs, both ends of the range and, often, amounts
// that are near to what small accounts hold.
func drawAmount(t *rapid.T) contract.Money {
	code := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "EUR", "JPY"}).Draw(t, "currency")
	limit := contract.Largest(currency(t, code)).Minor()
	minor := rapid.OneOf(
		rapid.Int64Range(-5, 1000),
		rapid.Int64Range(1, 1000),
		rapid.Int64Range(limit-1000, limit),
		rapid.Int64Range(-limit, limit),
	).Draw(t, "minor")
	m, err := contract.NewMoney(minor, currency(t, code))
	require.NoError(t, err)
	return m
}

func drawText(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"", "", "Rent", " ", "a\nb", tooLong}).Draw(t, label)
}

func drawCommand(t *rapid.T) decider {
	switch rapid.IntRange(0, 9).Draw(t, "command") {
	case 0:
		return OpenAccount{
			AccountID:      "a-1",
			Holder:         rapid.SampledFrom([]string{"John Doe", "John Doe", ""}).Draw(t, "holder"),
			Type:           rapid.SampledFrom([]contract.Type{contract.Savings, contract.Current, "X"}).Draw(t, "type"),
			OpeningBalance: drawAmount(t),
			Email:          drawText(t, "email"),
		}
	case 1:
		return CloseAccount{Reason: drawText(t, "reason"), AllowBalance: rapid.Bool().Draw(t, "allow")}
	case 2, 3, 4, 5:
		return DepositFunds{AccountID: "a-1", Amount: drawAmount(t), Reference: drawText(t, "reference")}
	default:
		return WithdrawFunds{AccountID: "a-1", Amount: drawAmount(t), Reference: drawText(t, "reference")}
	}
}

// ledger adds up what the events say, apart from the balances that they carry.
type ledger struct {
	events, sum int64
	balance     contract.Money
	closed      bool
}

func (l *ledger) record(t *rapid.T, payload any) {
	require.False(t, l.closed, "nothing follows the closing")
	switch event := payload.(type) {
	case contract.Opened:
		require.Zero(t, l.events, "an account is opened once, and first")
		require.GreaterOrEqual(t, event.OpeningBalance.Sign(), 0)
		l.sum, l.balance = event.OpeningBalance.Minor(), event.OpeningBalance
	case contract.Deposited:
		require.Positive(t, event.Amount.Minor())
		l.sum, l.balance = l.sum+event.Amount.Minor(), event.Balance
	case contract.Withdrawn:
		require.Positive(t, event.Amount.Minor())
		l.sum, l.balance = l.sum-event.Amount.Minor(), event.Balance
	case contract.Closed:
		l.closed = true
	default:
		require.Failf(t, "unknown payload", "%T", payload)
	}
	l.events++
}

// Whatever is asked for in whatever order: the balance is the sum of the
// events, the events carry it, and it stays between zero and the limit.
func TestAccount_BalanceIsTheSumOfItsEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Most lines begin with an account, or little else would be accepted.
		var state State
		var l ledger
		if rapid.IntRange(0, 9).Draw(t, "start") > 0 {
			event := opened(eur(t, "5"))
			state = Evolve(state, event)
			l.record(t, event)
		}
		for range rapid.IntRange(1, 40).Draw(t, "commands") {
			command := drawCommand(t)
			events, err := command.Decide(state)
			requireSameAgain(t, command, state, events, err)
			if err != nil {
				requireNamed(t, events, err)
				continue
			}
			require.Len(t, events, 1)
			for _, event := range events {
				requireWritable(t, event)
				state = Evolve(state, event)
				l.record(t, event)
			}
			require.Equal(t, l.sum, state.Balance.Minor())
			require.Equal(t, l.balance, state.Balance)
			require.GreaterOrEqual(t, state.Balance.Sign(), 0)
			require.LessOrEqual(t, state.Balance.Minor(), contract.Largest(state.Balance.Currency()).Minor())
			require.Equal(t, l.closed, state.Closed())
			requireSnapshot(t, state)
		}
	})
}

func requireSameAgain(t *rapid.T, command decider, s State, events []any, err error) {
	again, errAgain := command.Decide(s)
	require.Equal(t, events, again)
	require.Equal(t, err, errAgain)
}

func requireNamed(t *rapid.T, events []any, err error) {
	require.Empty(t, events)
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal, "%v", err)
	require.NotEmpty(t, refusal.Code)
	require.NotEmpty(t, refusal.Message)
	require.NotContains(t, refusal.Message, "\n")
	if refusal.Code == CodeInvalidRequest {
		var fault *contract.FieldError
		require.ErrorAs(t, err, &fault, "an invalid request names the field")
	}
}

// requireWritable: what was decided can be written, and is read back the same.
func requireWritable(t *rapid.T, event any) {
	data, err := json.Marshal(event)
	require.NoError(t, err)
	var back any
	switch event.(type) {
	case contract.Opened:
		back, err = decode[contract.Opened](data)
	case contract.Deposited:
		back, err = decode[contract.Deposited](data)
	case contract.Withdrawn:
		back, err = decode[contract.Withdrawn](data)
	case contract.Closed:
		back, err = decode[contract.Closed](data)
	}
	require.NoError(t, err)
	require.Equal(t, event, back)
}

func decode[T any](data []byte) (any, error) {
	var payload T
	err := json.Unmarshal(data, &payload)
	return payload, err
}

func requireSnapshot(t *rapid.T, state State) {
	data, err := json.Marshal(state)
	require.NoError(t, err)
	var back State
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, state, back)
}
