package legacy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/events"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// What Double.toString of the original's Java gives.
func TestDouble(t *testing.T) {
	for decimal, want := range map[string]string{
		"0": "0.0", "0.00": "0.0", "50.00": "50.0", "100.10": "100.1", "137.30": "137.3", "20": "20.0",
		"0.001": "0.001", "0.0005": "5.0E-4", "0.0012": "0.0012", "9999999.99": "9999999.99",
		"10000000.00": "1.0E7", "12345678.90": "1.23456789E7", "999999999999.99": "9.9999999999999E11",
		"123456789012": "1.23456789012E11", "-7.00": "-7.0", "-10000000": "-1.0E7",
	} {
		got, err := double(decimal)
		require.NoError(t, err)
		require.Equal(t, want, got, decimal)
	}
	_, err := double("ten")
	require.Error(t, err)
}

func money(t *testing.T, amount string) contract.Money {
	t.Helper()
	currency, err := contract.ParseCurrency("EUR")
	require.NoError(t, err)
	m, err := contract.ParseAmount(amount, currency)
	require.NoError(t, err)
	return m
}

func envelope(t *testing.T, account string, version int64, payload any) event.Envelope {
	t.Helper()
	known, err := events.Codec()
	require.NoError(t, err)
	kind, data, err := known.Encode(payload)
	require.NoError(t, err)
	return event.Envelope{
		ID: event.NewID(), Stream: account, Category: contract.AggregateType, Version: version, Type: kind, Data: data,
		Time: time.UnixMilli(1795328581949).UTC(),
	}
}

// The records of the Java system, to the byte.
func TestEncode(t *testing.T) {
	const id = "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8"
	known, err := events.Codec()
	require.NoError(t, err)
	for _, c := range []struct {
		event        event.Envelope
		topic, value string
	}{
		{
			envelope(t, id, 0, contract.Opened{AccountHolder: "John Doe", AccountType: contract.Savings, OpeningBalance: money(t, "50.00")}),
			"AccountOpenedEvent",
			`{"id":"` + id + `","version":0,"accountHolder":"John Doe","accountType":"SAVINGS","createdDate":1795328581949,"openingBalance":50.0}`,
		},
		{
			envelope(t, id, 1, contract.Deposited{Amount: money(t, "100.10"), Balance: money(t, "150.10"), Reference: "not there"}),
			"FundsDepositedEvent", `{"id":"` + id + `","version":1,"amount":100.1}`,
		},
		{
			envelope(t, id, 3, contract.Withdrawn{Amount: money(t, "20.00"), Balance: money(t, "0.00")}),
			"FundsWithdrawnEvent", `{"id":"` + id + `","version":3,"amount":20.0}`,
		},
		{
			envelope(t, id, 4, contract.Closed{Reason: "not there"}),
			"AccountClosedEvent", `{"id":"` + id + `","version":4}`,
		},
		{
			envelope(t, "x", 0, contract.Opened{AccountHolder: "<Zoë> \"&\\u2028\" \u2028\\", AccountType: contract.Current, OpeningBalance: money(t, "10000000.00")}),
			"AccountOpenedEvent",
			"{\"id\":\"x\",\"version\":0,\"accountHolder\":\"<Zoë> \\\"&\\\\u2028\\\" \u2028\\\\\",\"accountType\":\"CURRENT\",\"createdDate\":1795328581949,\"openingBalance\":1.0E7}",
		},
	} {
		topic, m, err := encode(known, c.event)
		require.NoError(t, err)
		require.Equal(t, c.topic, topic)
		require.Equal(t, c.value, string(m.Value))
		require.Equal(t, c.event.Stream, m.Key)
		require.Len(t, m.Headers, 1)
		require.Equal(t, "__TypeId__", m.Headers[0].Key)
		require.Equal(t, "com.asimkilic.account.common.events."+topic, m.Headers[0].Value)
		require.True(t, m.Time.IsZero(), "a time of long ago would have it deleted from a topic with the usual settings")
		at, ok := placeOf(m.Value)
		require.True(t, ok)
		require.Equal(t, place{c.event.Stream, c.event.Version}, at)
	}
	newer := envelope(t, "x", 0, contract.Closed{})
	newer.Type.Schema = 99
	_, _, err = encode(known, newer)
	require.ErrorIs(t, err, event.ErrUnknownType)
	require.ErrorContains(t, err, "account x, version 0")
}

func TestPlaceOf_Unreadable(t *testing.T) {
	for _, value := range []string{"", "null", "[]", `{"id":"a"}`, `{"version":1}`, `{"id":"","version":1}`, `{"id":"a","version":-1}`, `{"id":7,"version":1}`} {
		_, ok := placeOf([]byte(value))
		require.False(t, ok, value)
	}
}
