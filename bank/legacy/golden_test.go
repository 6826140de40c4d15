package legacy

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/events"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// golden is an event, and the record that the Java system's own serializer made
// of it: testdata/capture says how it was captured.
type golden struct {
	Topic   string
	ID      string
	Version int64
	Holder  string
	Type    contract.Type
	Created int64
	Amount  string
	Headers map[string]string
	Value   string
}

func (g golden) event(t *testing.T) event.Envelope {
	t.Helper()
	var amount contract.Money
	if g.Amount != "" {
		amount = moneyOf(t, g.Amount)
	}
	payloads := map[string]any{
		"AccountOpenedEvent":  contract.Opened{AccountHolder: g.Holder, AccountType: g.Type, OpeningBalance: amount},
		"FundsDepositedEvent": contract.Deposited{Amount: amount, Balance: amount},
		"FundsWithdrawnEvent": contract.Withdrawn{Amount: amount, Balance: amount},
		"AccountClosedEvent":  contract.Closed{},
	}
	e := envelope(t, g.ID, g.Version, payloads[g.Topic])
	e.Time = time.UnixMilli(g.Created)
	return e
}

// moneyOf reads an amount in a currency that has so many decimals.
func moneyOf(t *testing.T, amount string) contract.Money {
	t.Helper()
	for _, code := range []string{"EUR", "KWD"} {
		currency, err := contract.ParseCurrency(code)
		require.NoError(t, err)
		if m, err := contract.ParseAmount(amount, currency); err == nil {
			return m
		}
	}
	t.Fatalf("no currency has an amount of %s", amount)
	return contract.Money{}
}

// TestGolden: our records are those of the Java system, to the byte.
func TestGolden(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "golden.jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	known, err := events.Codec()
	require.NoError(t, err)
	topics := make(map[string]int)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var want golden
		require.NoError(t, json.Unmarshal(lines.Bytes(), &want))
		topic, m, err := encode(known, want.event(t))
		require.NoError(t, err)
		require.Equal(t, want.Topic, topic)
		require.Equal(t, want.Value, string(m.Value))
		require.Len(t, m.Headers, len(want.Headers))
		for _, header := range m.Headers {
			require.Equal(t, want.Headers[header.Key], header.Value)
		}
		topics[topic]++
	}
	require.NoError(t, lines.Err())
	require.Len(t, topics, 4)
	require.Greater(t, topics["FundsDepositedEvent"]+topics["FundsWithdrawnEvent"], 500)
}
