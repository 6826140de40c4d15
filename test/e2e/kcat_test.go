package e2e_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// A Kafka client that is not ours reads the feed from the embedded broker:
// keys, headers, payloads, order.
func TestKcatReadsTheFeed(t *testing.T) {
	t.Parallel()
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		testenv.Skip(t, "kcat")
	}
	p := testenv.Start(t, t.TempDir())
	ids := []string{open(t, p, "Ann", 10), open(t, p, "Bob", 20)}
	for i := range 5 {
		deposit(t, p, ids[i%2], i+1)
	}
	requireBalance(t, p, ids[0], "19.0")
	requireBalance(t, p, ids[1], "26.0")

	read := exec.CommandContext(t.Context(), kcat, "-q", "-b", p.Broker, "-t", testenv.Topic, "-C", "-e", "-f", `%k|%h|%s\n`)
	out, err := read.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 7)

	next, positions := map[string]int{}, map[string]bool{}
	for _, line := range lines {
		parts := strings.SplitN(line, "|", 3)
		key, headers, payload := parts[0], pairs(parts[1]), parts[2]
		require.Contains(t, ids, key)
		require.Equal(t, strconv.Itoa(next[key]), headers["ce_version"], "versions of %s", key)
		kind := "passbook.account.deposited.v1"
		if next[key] == 0 {
			kind = "passbook.account.opened.v1"
		}
		next[key]++
		positions[headers["ce_position"]] = true
		require.Equal(t, kind, headers["ce_type"])
		require.Equal(t, "1.0", headers["ce_specversion"])
		require.Equal(t, "application/json", headers["content-type"])
		require.Equal(t, key, headers["ce_subject"])
		require.Regexp(t, `^/passbook/[0-9a-f-]{36}$`, headers["ce_source"])
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$`, headers["ce_time"])
		require.NotEmpty(t, headers["ce_id"])
		require.NotEmpty(t, headers["ce_correlationid"])
		require.NotEmpty(t, headers["ce_causationid"])
		require.Regexp(t, `^\{"(accountHolder|amount)":.*\}$`, payload)
	}
	for position := 1; position <= 7; position++ {
		require.True(t, positions[strconv.Itoa(position)], "position %d", position)
	}
}

// pairs reads headers as kcat prints them.
func pairs(text string) map[string]string {
	headers := make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(pair, "=")
		headers[key] = value
	}
	return headers
}
