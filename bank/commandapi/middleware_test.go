package commandapi_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	b.deposit(id, "1", "Idempotency-Key: k").ok(t)
	b.deposit(id, "1", "Idempotency-Key: k").ok(t)
	b.deposit(id, "0")
	b.withdraw(id, "100")
	b.withdraw("nobody", "100")
	b.close(id, `If-Match: "7"`)
	b.close(id).ok(t)
	b.deposit(id, "NaN") // is no command

	var counts []string
	for line := range strings.Lines(b.send("GET", "/metrics", "").body) {
		if strings.HasPrefix(line, "passbook_commands_total{") || strings.HasPrefix(line, "passbook_command_duration_seconds_count{") {
			counts = append(counts, strings.TrimSpace(line))
		}
	}
	require.ElementsMatch(t, []string{
		`passbook_commands_total{command="OpenAccount",outcome="accepted"} 1`,
		`passbook_commands_total{command="DepositFunds",outcome="accepted"} 1`,
		`passbook_commands_total{command="DepositFunds",outcome="replayed"} 1`,
		`passbook_commands_total{command="DepositFunds",outcome="invalid-request"} 1`,
		`passbook_commands_total{command="WithdrawFunds",outcome="insufficient-funds"} 1`,
		`passbook_commands_total{command="WithdrawFunds",outcome="account-not-found"} 1`,
		`passbook_commands_total{command="CloseAccount",outcome="version-conflict"} 1`,
		`passbook_commands_total{command="CloseAccount",outcome="accepted"} 1`,
		`passbook_command_duration_seconds_count{command="OpenAccount"} 1`,
		`passbook_command_duration_seconds_count{command="DepositFunds"} 3`,
		`passbook_command_duration_seconds_count{command="WithdrawFunds"} 2`,
		`passbook_command_duration_seconds_count{command="CloseAccount"} 2`,
	}, counts)
}

func TestLog(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	b := open(t, func(s *setup) {
		s.api.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	id := b.account(t)
	b.deposit(id, "1", "X-Correlation-Id: c-7").ok(t)
	require.Contains(t, log.String(), "level=DEBUG")
	require.Contains(t, log.String(), "command=DepositFunds outcome=accepted")
	require.Contains(t, log.String(), "correlation=c-7 stream="+id+" version=1")
	require.NotContains(t, log.String(), "John Doe")
}
