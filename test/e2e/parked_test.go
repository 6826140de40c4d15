package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

// appendEvents writes events into a store that nobody serves, as a newer
// program would: payloads by their written types.
func appendEvents(t *testing.T, data, stream string, after int64, payloads ...[2]string) {
	t.Helper()
	engine, err := sqlite.OpenEventStore(t.Context(), filepath.Join(data, "events.db"))
	require.NoError(t, err)
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	var events []event.Envelope
	for _, payload := range payloads {
		kind, err := event.ParseType(payload[0])
		require.NoError(t, err)
		events = append(events, event.Envelope{
			ID: event.NewID(), Category: account.AggregateType, Type: kind, Time: event.Truncate(time.Now()), Data: []byte(payload[1]),
		})
	}
	_, err = store.Append(t.Context(), eventstore.Commit{Stream: stream, Expected: after, Events: events})
	require.NoError(t, err)
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, engine.Close())
}

func deposited(amount, balance string) [2]string {
	return [2]string{
		"passbook.account.deposited.v1",
		fmt.Sprintf(`{"amount":{"amount":%q,"currency":"EUR"},"balance":{"amount":%q,"currency":"EUR"}}`, amount, balance),
	}
}

// An account with an event that this program does not know is parked, with what
// follows; the others go on. A redrive leaves it so; a discard passes over the
// event, and survives a restore.
func TestParked(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	p.AwaitReady(t.Context())
	bad, good := open(t, p, "Ada", 100), open(t, p, "Bob", 100)
	requireBalance(t, p, bad, "100.0")
	p.Stop()
	appendEvents(t, data, bad, 0,
		[2]string{"passbook.account.interest-paid.v1", `{"amount":{"amount":"5.00","currency":"EUR"}}`},
		deposited("10.00", "115.00"), deposited("1.00", "116.00"))

	p = testenv.Start(t, data)
	p.AwaitReady(t.Context())
	operate := func(args ...string) (int, string, string) {
		return program(t, []string{"PASSBOOK_COMMAND_URL=" + p.Command, "PASSBOOK_QUERY_URL=" + p.Query, "PASSBOOK_NOTIFY_URL=" + p.Notify}, args...)
	}
	var parked struct {
		Parked []struct {
			Stream, Reason  string
			Version, Queued int64
		}
	}
	require.Eventually(t, func() bool {
		_, _, answer := call(t, http.MethodGet, p.Query+"/api/v2/consumers/bankaccConsumer/parked", "")
		return json.Unmarshal([]byte(answer), &parked) == nil && len(parked.Parked) == 1 && parked.Parked[0].Queued == 3
	}, time.Minute, 5*time.Millisecond)
	require.Equal(t, bad, parked.Parked[0].Stream)
	require.Equal(t, int64(1), parked.Parked[0].Version)
	require.Equal(t, "unapplicable", parked.Parked[0].Reason)

	deposit(t, p, good, 7) // and the others flow: also for who waits for a position
	status, _, answer := call(t, http.MethodGet, p.Query+"/api/v2/accounts/"+good+"?minPosition=6&wait=30s", "")
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, `"107.00"`)
	requireBalance(t, p, bad, "100.0")

	code, stdout, _ := operate("parked", "list")
	require.Zero(t, code)
	require.Contains(t, stdout, bad)
	code, stdout, _ = operate("parked", "show", bad)
	require.Zero(t, code)
	require.Contains(t, stdout, "interest-paid")
	code, _, _ = operate("parked", "redrive", bad)
	require.Equal(t, 1, code, "the program has not learned the event meanwhile")
	code, _, stderr := operate("parked", "discard", bad, "--version", "2", "--reason", "wrong one")
	require.Equal(t, 1, code, stderr)

	code, stdout, stderr = operate("parked", "discard", bad, "--version", "1", "--reason", "interest is not ours")
	require.Zero(t, code, "%s%s", stdout, stderr)
	requireBalance(t, p, bad, "116.0")
	requireAgreement(t, p, data)
	_, stdout, _ = program(t, nil, "verify", "--data", data, "--broker", "kafka://"+p.Broker)
	require.Contains(t, stdout, "1 discarded")

	done := awaitRestore(t, p, requestRestore(t, p))
	require.Equal(t, "done", done.State, done.Error)
	requireBalance(t, p, bad, "116.0")
	code, stdout, _ = operate("parked", "list")
	require.Zero(t, code)
	require.NotContains(t, stdout, bad)
	requireAgreement(t, p, data)

	// The notification service has parked the account too, on its own.
	code, stdout, _ = operate("parked", "list", "--service", "notify")
	require.Zero(t, code)
	t.Logf("parked in the notification service: %s", stdout)
}
