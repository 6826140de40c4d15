package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// times is how often a test repeats itself. The race detector has to see a thing
// once, and takes ten times as long.
func times(n int) int {
	if testenv.Race() {
		return 1
	}
	return n
}

// call sends one request and returns status and body.
func call(t *testing.T, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(content)
}

// open opens an account with money and returns its id.
func open(t *testing.T, p *testenv.Passbook, holder string, balance int) string {
	t.Helper()
	status, _, answer := call(t, http.MethodPost, p.Command+"/api/v1/openBankAccount",
		fmt.Sprintf(`{"accountHolder":%q,"accountType":"SAVINGS","openingBalance":%d}`, holder, balance))
	require.Equal(t, http.StatusCreated, status, answer)
	var opened struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(answer), &opened))
	return opened.ID
}

func deposit(t *testing.T, p *testenv.Passbook, id string, amount int) {
	t.Helper()
	status, _, answer := call(t, http.MethodPut, p.Command+"/api/v1/depositFunds/"+id, fmt.Sprintf(`{"amount":%d}`, amount))
	require.Equal(t, http.StatusOK, status, answer)
}

// requireBalance waits until the query API shows a balance, written as version
// 1 writes it.
func requireBalance(t *testing.T, p *testenv.Passbook, id, balance string) {
	t.Helper()
	var last string
	require.Eventually(t, func() bool {
		_, _, last = call(t, http.MethodGet, p.Query+"/api/v1/bankAccountLookup/byId/"+id, "")
		return strings.Contains(last, `"balance":`+balance+"}")
	}, time.Minute, 5*time.Millisecond, "want %s, have %s", balance, last)
}
