package commandapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	contract "passbook/contract/account"
	"passbook/es/event"
)

// What the feed promises of payloads begins here, to the byte.
func TestEvents_Payloads(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	b.deposit(id, "100.1").ok(t)
	b.withdraw(id, `"2e1"`).ok(t)
	b.close(id).ok(t)

	events := b.events(t)
	want := []struct{ name, data string }{
		{"passbook.account.opened.v1",
			`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":{"amount":"50.00","currency":"EUR"}}`},
		{"passbook.account.deposited.v1",
			`{"amount":{"amount":"100.10","currency":"EUR"},"balance":{"amount":"150.10","currency":"EUR"}}`},
		{"passbook.account.withdrawn.v1",
			`{"amount":{"amount":"20.00","currency":"EUR"},"balance":{"amount":"130.10","currency":"EUR"}}`},
		{"passbook.account.closed.v1", `{}`},
	}
	require.Len(t, events, len(want))
	for i, e := range events {
		require.Equal(t, want[i].name, e.Type.String())
		require.Equal(t, want[i].data, string(e.Data))
		require.Equal(t, id, e.Stream)
		require.Equal(t, contract.AggregateType, e.Category)
		require.Equal(t, int64(i), e.Version)
		require.Equal(t, int64(i)+1, e.Position)
	}
}

func TestEvents_OpeningBalances(t *testing.T) {
	t.Parallel()
	b := open(t)
	for balance, want := range map[string]string{
		"": "0.00 EUR", `,"openingBalance":0`: "0.00 EUR", `,"openingBalance":0e400`: "0.00 EUR",
		`,"openingBalance":50`: "50.00 EUR", `,"openingBalance":50.0`: "50.00 EUR", `,"openingBalance":"12.5"`: "12.50 EUR",
		`,"openingBalance":1.0E7`: "10000000.00 EUR", `,"openingBalance":999999999999.99`: "999999999999.99 EUR",
		`,"OpeningBalance":7`: "0.00 EUR",
	} {
		id := b.send("POST", "/api/v1/openBankAccount", `{"accountHolder":"A","accountType":"CURRENT"`+balance+`}`).id(t)
		b.requireBalance(t, id, want)
	}
}

func TestEvents_OtherCurrency(t *testing.T) {
	t.Parallel()
	b := open(t, func(s *setup) { s.api.Currency = currency(t, "JPY") })
	id := b.account(t)
	b.requireBalance(t, id, "50 JPY")
	b.deposit(id, "0.5").problem(t, 400, "invalid-request", "amount must not have more than the 0 decimals of JPY")
	b.deposit(id, "1.50e1").ok(t)
	b.requireBalance(t, id, "65 JPY")
}

func TestEvents_Metadata(t *testing.T) {
	t.Parallel()
	type actorKey struct{}
	b := open(t, func(s *setup) {
		s.api.Actor = func(ctx context.Context) event.Actor {
			actor, _ := ctx.Value(actorKey{}).(event.Actor)
			return actor
		}
	})
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	id := b.send("POST", "/api/v1/openBankAccount", openBody, "X-Correlation-Id: order:4711", "traceparent: "+trace).id(t)
	first := b.events(t)[0].Metadata
	require.Equal(t, "order:4711", first.CorrelationID)
	require.Equal(t, trace, first.TraceParent)
	require.Regexp(t, uuid, first.CausationID)
	require.NotEqual(t, b.events(t)[0].ID, first.CausationID)
	require.False(t, first.Imported)

	b.deposit(id, "1").ok(t)
	b.deposit(id, "1").ok(t)
	second, third := b.events(t)[1].Metadata, b.events(t)[2].Metadata
	require.Regexp(t, uuid, second.CorrelationID)
	require.NotEqual(t, second.CorrelationID, third.CorrelationID)
	require.NotEqual(t, second.CausationID, third.CausationID)
	require.Empty(t, second.TraceParent)
	require.Empty(t, second.Actor)
}

// What is no token or no trace context is left out; the command goes on.
func TestEvents_MetadataOfStrangers(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	for _, correlation := range []string{"", "a b", "a\"b", "ä", "<script>", string(make([]byte, 5)), longText(129)} {
		b.deposit(id, "1", "X-Correlation-Id: "+correlation).ok(t)
	}
	b.deposit(id, "1", "X-Correlation-Id: "+longText(128)).ok(t)
	events := b.events(t)
	for _, e := range events[1 : len(events)-1] {
		require.Regexp(t, "^"+uuid.String()+"$", e.Metadata.CorrelationID)
	}
	require.Equal(t, longText(128), events[len(events)-1].Metadata.CorrelationID)

	for _, trace := range []string{
		"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
		"00-4bf92f3577b34da6a3ce929d0e0e4736x00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
	} {
		b.deposit(id, "1", "traceparent: "+trace).ok(t)
	}
	for _, e := range b.events(t) {
		require.Empty(t, e.Metadata.TraceParent)
	}
}

func longText(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'a'
	}
	return string(text)
}
