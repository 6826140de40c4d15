package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// A port in use is one line that names the setting, and nothing is left behind.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	addr := listener.Addr().String()
	for _, c := range []struct{ flag, value, setting string }{
		{"--command-addr", addr, "PASSBOOK_COMMAND_ADDR"},
		{"--query-addr", addr, "PASSBOOK_QUERY_ADDR"},
		{"--broker", "embedded:" + addr, "PASSBOOK_BROKER"},
		{"--ops-addr", addr, "PASSBOOK_OPS_ADDR"},
	} {
		data := t.TempDir()
		text := testenv.Refused(t, data, c.flag, c.value)
		require.Contains(t, text, c.setting)
		require.Contains(t, text, addr)
		require.Equal(t, 1, strings.Count(text, "\n"), text)
		testenv.Start(t, data).Stop() // the folder is free again
	}
}

func TestDataFolderHeld(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	require.Contains(t, testenv.Refused(t, data), "PASSBOOK_DATA")
	p.Stop()
	testenv.Start(t, data).Stop()
}

// With no broker to reach, commands are accepted all the same, and readiness
// says why nothing is published.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir(), "--roles", "command,relay", "--broker", "kafka://"+testenv.FreeAddr(t)) // where nobody listens
	open(t, p, "Alone", 5)
	var body string
	require.Eventually(t, func() bool {
		var status int
		status, _, body = call(t, http.MethodGet, p.Command+"/readyz", "")
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"relay"`)
	}, time.Minute, 20*time.Millisecond, body)
	status, _, _ := call(t, http.MethodGet, p.Command+"/livez", "")
	require.Equal(t, http.StatusOK, status, "it is alive, whatever its engines do")
	p.Stop()
}

// Services in processes of their own: each goes on while the others are dead.
func TestServicesFailIndependently(t *testing.T) {
	t.Parallel()
	commandData := t.TempDir()
	commands := testenv.Start(t, commandData, "--roles", "command,relay,broker", "--broker", "embedded:"+testenv.FreeAddr(t))
	queries := testenv.Start(t, t.TempDir(), "--roles", "query", "--broker", "kafka://"+commands.Broker)
	id := open(t, commands, "Apart", 10)
	requireBalance(t, queries, id, "10.0")

	broker := commands.Broker
	commands.Kill()
	requireBalance(t, queries, id, "10.0") // answered with the command service and the broker down
	commands = testenv.Start(t, commandData, "--roles", "command,relay,broker", "--broker", "embedded:"+broker)
	deposit(t, commands, id, 7)
	requireBalance(t, queries, id, "17.0")

	queries.Kill()
	deposit(t, commands, id, 1) // accepted with the query service down
	late := testenv.Start(t, t.TempDir(), "--roles", "query", "--broker", "kafka://"+broker)
	requireBalance(t, late, id, "18.0")
	late.Stop()
	commands.Stop()
}
