package e2e_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// hostileRequests is how many requests TestHostileRequests sends; more by
// PASSBOOK_HOSTILE_REQUESTS.
const hostileRequests = 10_000

// Ten thousand random hostile requests over all routes: no 500, no dead process,
// no change of money that was not accepted.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	requests, seed := hostileRequests, uint64(time.Now().UnixNano())
	if testenv.Race() {
		requests /= 5
	}
	if text := os.Getenv("PASSBOOK_HOSTILE_REQUESTS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		requests = n
	}
	if text := os.Getenv("PASSBOOK_HOSTILE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		seed = n
	}
	t.Logf("seed %d: set PASSBOOK_HOSTILE_SEED to repeat it", seed)
	h := &hostile{t: t, random: rand.New(rand.NewPCG(seed, 1)), balances: make(map[string]decimal.Decimal), statuses: make(map[int]int)}
	for _, r := range routes(t, p) {
		// A restore takes the while of thousands of requests.
		if !strings.HasSuffix(r.path, "/restoreReadDb") && !(strings.HasSuffix(r.path, "/restores") && r.method == http.MethodPost) {
			h.routes = append(h.routes, r)
		}
	}
	for range 5 {
		id := open(t, p, "Mallory", 1000)
		h.accounts = append(h.accounts, id)
		h.balances[id] = decimal.NewFromInt(1000)
	}
	h.victim = open(t, p, "Mallory", 1)
	for range requests {
		h.send()
	}
	t.Logf("answers by status: %v; %d movements accepted", h.statuses, h.accepted)
	require.True(t, p.Running(), p.Output())
	require.NotContains(t, p.Output(), "panic")
	require.Greater(t, h.accepted, requests/1000, "no request was accepted: nothing was put to the test")
	for _, id := range h.accounts {
		status, _, answer := call(t, http.MethodGet, p.Query+"/api/v2/accounts/"+id+"?minPosition="+strconv.FormatInt(h.position, 10)+"&wait=30s", "")
		require.Equal(t, http.StatusOK, status, answer)
		var account struct {
			Balance struct{ Amount decimal.Decimal }
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &account))
		require.Equal(t, h.balances[id].StringFixed(2), account.Balance.Amount.StringFixed(2), "account %s", id)
	}
}

type hostile struct {
	t        *testing.T
	random   *rand.Rand
	routes   []route
	accounts []string
	victim   string
	balances map[string]decimal.Decimal
	position int64
	accepted int
	statuses map[int]int
}

func pick[T any](h *hostile, from ...T) T { return from[h.random.IntN(len(from))] }

// send sends one request, and takes note of what was accepted.
func (h *hostile) send() {
	r := pick(h, h.routes...)
	account := pick(h, h.accounts...)
	if strings.Contains(r.path, "clos") {
		account = h.victim // it is closed for good, and the others are to have money moved
	}
	value := account
	if h.random.IntN(3) == 0 {
		value = pick(h, "..", "%2e%2e", "%00", "%ff%fe", "a%2Fb", "' OR 1=1 --", "<script>", strings.Repeat("x", 300), "GREATER_THAN", "1e999", "-0", "NaN")
	}
	method := r.method
	if h.random.IntN(20) == 0 {
		method = pick(h, "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW")
	}
	url := r.fill(strings.ReplaceAll(strings.ReplaceAll(value, " ", "%20"), "<", "%3C")) + h.query()
	body := h.body()
	request, err := http.NewRequestWithContext(h.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return // no client can send it
	}
	request.Header.Set("Content-Type", pick(h, "application/json", "application/json", "application/json", "application/json; charset=utf-8", "text/plain", "application/json;;;"))
	if h.random.IntN(5) == 0 {
		name := pick(h, "Idempotency-Key", "If-Match", "If-None-Match", "Accept", "X-Correlation-Id", "traceparent", "Content-Encoding", "Range", "Expect", "Authorization")
		request.Header.Set(name, pick(h, "", "\"1\"", "*", "W/\"0\"", "\"99999999999999999999\"", strings.Repeat("k", 256), "ä", "text/csv", "gzip", "00-0-0-0", "bytes=0-1", "100-continue", "key"))
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(h.t, err, "%s %s", method, url)
	answer, err := io.ReadAll(response.Body)
	require.NoError(h.t, err, "%s %s", method, url)
	require.NoError(h.t, response.Body.Close())
	h.statuses[response.StatusCode]++
	if response.StatusCode >= 500 && response.StatusCode != http.StatusServiceUnavailable && method != "BREW" {
		h.t.Fatalf("%s %s\n%s\nis answered %d: %s", method, url, body, response.StatusCode, answer)
	}
	if response.StatusCode < 300 && method != http.MethodGet && method != http.MethodHead && response.Header.Get("Idempotent-Replayed") == "" {
		h.note(account, value, r, body, answer)
	}
}

// note moves the expected balance by an accepted request.
func (h *hostile) note(account, value string, r route, body string, answer []byte) {
	var told struct {
		Position int64
		Balance  *struct{ Amount decimal.Decimal }
	}
	require.NoError(h.t, json.Unmarshal(answer, &told), string(answer))
	h.position = max(h.position, told.Position)
	if account != value {
		return // it opened an account
	}
	var asked struct{ Amount json.RawMessage }
	switch {
	case strings.HasSuffix(r.path, "/deposits"), strings.HasSuffix(r.path, "/withdrawals"):
		var sent struct {
			Amount struct{ Amount decimal.Decimal }
		}
		require.NoError(h.t, json.Unmarshal([]byte(body), &sent))
		h.move(account, r, sent.Amount.Amount)
		require.Equal(h.t, h.balances[account].StringFixed(2), told.Balance.Amount.StringFixed(2))
	case strings.Contains(r.path, "Funds/"):
		require.NoError(h.t, json.Unmarshal([]byte(body), &asked))
		amount, err := decimal.NewFromString(strings.Trim(string(asked.Amount), `"`))
		require.NoError(h.t, err)
		h.move(account, r, amount)
	}
}

func (h *hostile) move(account string, r route, amount decimal.Decimal) {
	h.accepted++
	require.True(h.t, amount.IsPositive(), "%s was accepted by %s", amount, r.path)
	if strings.Contains(strings.ToLower(r.path), "withdraw") {
		amount = amount.Neg()
	}
	h.balances[account] = h.balances[account].Add(amount)
	require.False(h.t, h.balances[account].IsNegative(), "an overdraft was accepted")
}

func (h *hostile) query() string {
	if h.random.IntN(3) > 0 {
		return ""
	}
	name := pick(h, "holder", "type", "status", "currency", "minBalance", "maxBalance", "sort", "pageSize", "pageToken", "atVersion", "at", "from", "to",
		"minVersion", "minPosition", "wait", "accountId", "state", "nothing", "%00", "")
	value := pick(h, "", "-1", "0", "99999999999999999999", "1e3", "EUR", "eur", "SAVINGS", "2026-11-22T00:00:00Z", "9999-12-31T23:59:59.999999999%2B23:59", "now",
		"1ms", "-5s", "1h", "%ff", "AAAA", "eyJ2IjoxfQ", "createdAt", "-balance", "OPEN", "pending", "%27;DROP%20TABLE%20bank_account;--")
	return "?" + name + "=" + value
}

// body returns a body that is good now and then, and otherwise nearly so.
func (h *hostile) body() string {
	amount := pick(h, `12.5`, `"12.50"`, `-7`, `"-7.00"`, `0`, `0.001`, `1e400`, `"NaN"`, `null`, `true`, `[]`, `{}`, `99999999999999999999`, `"1e2"`, `" 1"`, `"٣"`,
		`{"amount":"3.25","currency":"EUR"}`, `{"amount":"1.00","currency":"EUR"}`, `{"amount":"-7.00","currency":"EUR"}`, `{"amount":7,"currency":"EUR"}`,
		`{"amount":"1.00","currency":"USD"}`, `{"amount":"1.00","currency":"XXX"}`, `{"amount":"1.00"}`, `{"amount":"1.00","Amount":"-7","currency":"EUR"}`)
	text := pick(h, `"Ada"`, `""`, `" "`, `"\u0000"`, `"a\nb"`, `7`, `null`, `"`+strings.Repeat("ä", 201)+`"`, `"\ud800"`, "\"\xff\"")
	if h.random.IntN(4) == 0 {
		amount = pick(h, `0.01`, `"7.00"`, `{"amount":"3.25","currency":"EUR"}`)
	}
	switch h.random.IntN(10) {
	case 0:
		return pick(h, "", "null", "[]", "{", `{"amount":1}{"amount":2}`, "\xff\xfe", strings.Repeat("[", 100_000), `{"a":"`+strings.Repeat("b", 70_000)+`"}`, "amount=1", "\ufeff{}")
	case 1:
		return `{"amount":` + amount + `,"amount":` + amount + `}`
	case 2:
		return `{"amount":` + amount + `,"reference":` + text + `,"id":` + text + `}`
	case 3:
		return `{"accountHolder":` + text + `,"accountType":` + pick(h, `"SAVINGS"`, `"savings"`, `1`, `null`) + `,"openingBalance":` + amount + `}`
	case 4:
		return `{"reason":` + text + `}`
	case 5:
		return `{"version":` + amount + `,"reason":` + text + `}`
	}
	return `{"amount":` + amount + `}`
}
