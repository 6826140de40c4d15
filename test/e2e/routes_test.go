package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// route is an operation of a running service, as its own document tells it.
type route struct {
	base, method, path string
	scope              string // empty: open
}

// routes reads the documents of all services of a process.
func routes(t *testing.T, p *testenv.Passbook) []route {
	t.Helper()
	var all []route
	for _, base := range []string{p.Command, p.Query, p.Notify} {
		status, _, document := call(t, http.MethodGet, base+"/openapi.json", "")
		require.Equal(t, http.StatusOK, status)
		var described struct {
			Paths map[string]map[string]struct {
				Security []map[string][]string `json:"security"`
			} `json:"paths"`
		}
		require.NoError(t, json.Unmarshal([]byte(document), &described))
		for _, path := range slices.Sorted(maps.Keys(described.Paths)) {
			for _, method := range slices.Sorted(maps.Keys(described.Paths[path])) {
				r := route{base: base, method: strings.ToUpper(method), path: path}
				if security := described.Paths[path][method].Security; len(security) > 0 {
					r.scope = strings.Join(slices.Concat(slices.Collect(maps.Values(security[0]))...), ",")
				}
				all = append(all, r)
			}
		}
	}
	require.Greater(t, len(all), 25, "the documents tell of too few routes")
	return all
}

// fill puts values into a path's parameters.
func (r route) fill(value string) string {
	var path strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(r.path, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			part = value
		}
		path.WriteString("/" + part)
	}
	return r.base + path.String()
}

// wanted is the scope that a route needs, from what it is for: not from the
// program, which is what is tested.
func (r route) wanted() string {
	switch {
	case strings.Contains(r.path, "/consumers"), strings.Contains(r.path, "/restores"), strings.HasSuffix(r.path, "/restoreReadDb"):
		return "operate"
	case strings.Contains(r.path, "/bankAccountLookup"), r.method == http.MethodGet:
		return "query"
	}
	return "command"
}

// keysFile makes a file with a key for each scope and returns it with the keys.
func keysFile(t *testing.T) (path string, keys map[string]string) {
	t.Helper()
	keys = make(map[string]string)
	var lines []string
	for _, scope := range []string{"command", "query", "operate"} {
		output := runProgram(t, "keys", "new", "for-"+scope, "--scopes", scope, "--json")
		var made struct{ Key, Line string }
		require.NoError(t, json.Unmarshal([]byte(output), &made))
		keys[scope] = made.Key
		lines = append(lines, made.Line)
	}
	path = filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path, keys
}

// Every route is tried without a key, with a wrong one, and with one of each
// scope.
func TestRoutes_Keys(t *testing.T) {
	t.Parallel()
	file, keys := keysFile(t)
	p := testenv.Start(t, t.TempDir(), "--api-keys", file)
	p.AwaitReady(t.Context())
	for _, r := range routes(t, p) {
		require.Equal(t, r.wanted(), r.scope, "the document of %s %s", r.method, r.path)
		url, body := r.fill("none"), ""
		if r.method == http.MethodPost || r.method == http.MethodPut {
			body = "{}"
		}
		for _, authorization := range []string{"", "Bearer wrong", "Basic " + keys[r.wanted()]} {
			status, headers, answer := call(t, r.method, url, body, "Authorization", authorization)
			require.Equal(t, http.StatusUnauthorized, status, "%s %s with %q: %s", r.method, r.path, authorization, answer)
			require.Equal(t, "Bearer", headers.Get("WWW-Authenticate"))
		}
		for scope, key := range keys {
			status, _, answer := call(t, r.method, url, body, "Authorization", "Bearer "+key)
			if scope == r.wanted() {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s %s: %s", r.method, r.path, answer)
				require.Less(t, status, 500, "%s %s: %s", r.method, r.path, answer)
			} else {
				require.Equal(t, http.StatusForbidden, status, "%s %s with scope %s: %s", r.method, r.path, scope, answer)
			}
			require.NotContains(t, answer, key)
		}
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/openapi.json", "/docs"} {
		status, _, _ := call(t, http.MethodGet, p.Command+path, "")
		require.Equal(t, http.StatusOK, status, path)
	}
	for _, key := range keys {
		require.NotContains(t, p.Output(), key, "a key is in the log")
	}
}

// Idempotency keys belong to a client: the same one of another client is another.
func TestRoutes_KeysOfTwoClients(t *testing.T) {
	t.Parallel()
	first, keys := keysFile(t)
	line, err := os.ReadFile(first)
	require.NoError(t, err)
	var other struct{ Key, Line string }
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "keys", "new", "other", "--scopes", "command", "--json")), &other))
	require.NoError(t, os.WriteFile(first, []byte(string(line)+other.Line+"\n"), 0o600))
	p := testenv.Start(t, t.TempDir(), "--api-keys", first, "--roles", "command")
	const body = `{"accountHolder":"Ada","accountType":"SAVINGS"}`
	openWith := func(key string) (id string, replayed string) {
		status, headers, answer := call(t, http.MethodPost, p.Command+"/api/v2/accounts", body, "Authorization", "Bearer "+key, "Idempotency-Key", "k")
		require.Equal(t, http.StatusCreated, status, answer)
		var opened struct{ AccountID string }
		require.NoError(t, json.Unmarshal([]byte(answer), &opened))
		return opened.AccountID, headers.Get("Idempotent-Replayed")
	}
	one, replayed := openWith(keys["command"])
	require.Empty(t, replayed)
	again, replayed := openWith(keys["command"])
	require.Equal(t, one, again)
	require.Equal(t, "true", replayed)
	two, replayed := openWith(other.Key)
	require.NotEqual(t, one, two)
	require.Empty(t, replayed)
}

// One client's many requests are answered 429, and another client's are not.
func TestRoutes_Rate(t *testing.T) {
	t.Parallel()
	file, keys := keysFile(t)
	p := testenv.Start(t, t.TempDir(), "--api-keys", file, "--rate-limit", "1", "--roles", "command")
	url := p.Command + "/api/v2/accounts/none/deposits"
	var refused int
	for range 10 {
		status, headers, answer := call(t, http.MethodPost, url, "{}", "Authorization", "Bearer "+keys["command"])
		if status == http.StatusTooManyRequests {
			refused++
			require.Contains(t, answer, `"too-many-requests"`)
			require.NotEmpty(t, headers.Get("Retry-After"))
		}
	}
	require.Positive(t, refused)
	status, _, answer := call(t, http.MethodPost, p.Command+"/api/v2/read-model/restores", "", "Authorization", "Bearer "+keys["operate"])
	require.NotEqual(t, http.StatusTooManyRequests, status, answer)
}
