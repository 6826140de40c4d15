package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answering is a service that always answers the same, and keeps what it was asked.
func answering(t *testing.T, status int, body string) (url string, asked func() http.Header) {
	t.Helper()
	var last http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r.Header.Clone()
		if status == 0 {
			panic(http.ErrAbortHandler) // the connection is cut
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() http.Header { server.Close(); return last } // closed: nobody writes any more
}

// The key comes from the environment, or from a file that it names, goes to the
// service, and is never shown.
func TestAPIKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("sesame-1234\n"), 0o600))
	t.Setenv("PASSBOOK_API_KEY", "")
	t.Setenv("PASSBOOK_API_KEY_FILE", file)
	url, asked := answering(t, http.StatusForbidden, `{"status":403,"code":"forbidden","detail":"the key may not do this"}`)
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitNo, execute([]string{"accounts", "get", "ann", "--query-url", url}, &stdout, &stderr))
	require.Equal(t, "passbook: the key may not do this (forbidden)\n", stderr.String())
	require.Equal(t, "Bearer sesame-1234", asked().Get("Authorization"))
	require.Empty(t, stdout.String())
}

func TestAPIKey_NotOne(t *testing.T) {
	t.Setenv("PASSBOOK_API_KEY", "two words")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitUsage, execute([]string{"accounts", "get", "ann"}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "PASSBOOK_API_KEY")
	require.NotContains(t, stderr.String(), "two words")
}

// Who is in doubt gets the key to find out with.
func TestOutcomeUnknown(t *testing.T) {
	url, asked := answering(t, 0, "")
	var stdout, stderr bytes.Buffer
	line := []string{"accounts", "withdraw", "ann", "5", "--command-url", url, "--timeout", "300ms"}
	require.Equal(t, exitUsage, execute(line, &stdout, &stderr))
	require.Empty(t, stdout.String())
	key := asked().Get("Idempotency-Key")
	require.NotEmpty(t, key)
	require.True(t, strings.HasPrefix(stderr.String(), "passbook: whether this was done is not known ("), stderr.String())
	require.True(t, strings.HasSuffix(stderr.String(), "repeat the same command with --key "+key+" to find out\n"), stderr.String())
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
}

// A service that fails is not one that says no.
func TestExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		code   int
		text   string
	}{
		"NotFound":    {404, `{"code":"account-not-found","detail":"no such account"}`, exitNo, "no such account (account-not-found)"},
		"NoKey":       {401, `{"code":"unauthenticated","detail":"an API key is needed"}`, exitNo, "an API key is needed (unauthenticated): set PASSBOOK_API_KEY or PASSBOOK_API_KEY_FILE"},
		"TooMany":     {429, `{"code":"too-many-requests","detail":"slow down"}`, exitNo, "slow down (too-many-requests)"},
		"Unavailable": {503, `{"code":"unavailable","detail":"the read database is not reached"}`, exitUsage, "the read database is not reached (unavailable)"},
		"Internal":    {500, `{"code":"internal","title":"The service failed"}`, exitUsage, "The service failed (internal)"},
		"Redirect":    {307, "", exitUsage, "answered with a redirect (307), which is not followed"},
		"TerminalToo": {500, `{"code":"x","detail":"\u001b[2J\u202eevil"}`, exitUsage, "\ufffd[2J\ufffdevil (x)"},
		"Terminal":    {404, `{"code":"x","detail":"\u001b[2J\u202eevil"}`, exitNo, "\ufffd[2J\ufffdevil (x)"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := answering(t, c.status, c.body)
			var stdout, stderr bytes.Buffer
			require.Equal(t, c.code, execute([]string{"accounts", "get", "ann", "--query-url", url, "--timeout", "200ms"}, &stdout, &stderr))
			require.Contains(t, stderr.String(), c.text)
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
		})
	}
}
