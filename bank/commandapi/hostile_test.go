package commandapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	contract "passbook/contract/account"
	"passbook/es/event"
)

// attacker writes requests as they come from mistakes, fuzzers and thieves.
type attacker struct {
	*rand.Rand
	ids []string
}

func (a attacker) pick(from ...string) string { return from[a.IntN(len(from))] }

func (a attacker) bytes(n int) string {
	text := make([]byte, a.IntN(n))
	for i := range text {
		text[i] = byte(a.Uint32())
	}
	return string(text)
}

func (a attacker) id() string {
	if a.IntN(8) > 0 {
		return a.pick(a.ids...)
	}
	return a.pick("", ".", "..", "%2e%2e", "%2E", "a%2Fb", "a%00", "%ff", "%F0%9F%92%B0", "nobody", "A", "-1", "*", "'OR'1'='1",
		"a;b", "a?b", "a%20b", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 3000), "{id}", "${jndi}", "%7Bid%7D")
}

func (a attacker) path() string {
	if a.IntN(30) == 0 {
		return a.pick("/", "//", "/api/v1", "/api/v1/", "/api//v1/openBankAccount", "/api/v1/../v1/openBankAccount",
			"/API/v1/openBankAccount", "/api/v1/restoreReadDb", "/openapi.json", "/docs",
			"/%2e%2e/", "/api/v2/accounts", "/api/v1/depositFunds/a/b", "*")
	}
	if a.IntN(2) == 0 {
		return a.path2()
	}
	route := a.pick("openBankAccount", "openBankAccount", "depositFunds/", "depositFunds/", "depositFunds/", "withdrawFunds/",
		"withdrawFunds/", "withdrawFunds/")
	if a.IntN(300) == 0 {
		route = "closeBankAccount/" // rarely, or soon there is nobody left to rob
	}
	if strings.HasSuffix(route, "/") {
		route += a.id()
	}
	if a.IntN(4) > 0 {
		return "/api/v1/" + route
	}
	return "/api/v1/" + route + a.pick("/", "/", "//", "?amount=-7", "?%zz", "#x")
}

func (a attacker) path2() string {
	path := "/api/v2/accounts"
	switch n := a.IntN(300); {
	case n == 0:
		path = a.pick("/api/v2/read-model/restores", "/api/v2/read-model/restores/"+a.id(), "/api/v2/accounts/"+a.id()+"/closure")
	case n < 240:
		path += "/" + a.id() + a.pick("/deposits", "/withdrawals")
	}
	if a.IntN(4) > 0 {
		return path
	}
	return path + a.pick("/", "/", "//", "?amount=-7", "?%zz", "#x")
}

func (a attacker) method(path string) string {
	switch {
	case a.IntN(12) == 0:
		return a.pick("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "put", "BREW")
	case strings.Contains(path, "openBank"), strings.Contains(path, "/v2/"):
		return "POST"
	case strings.Contains(path, "closeBank"):
		return "DELETE"
	}
	return "PUT"
}

func (a attacker) amount() string {
	if a.IntN(2) == 0 {
		return fmt.Sprintf("%d.%02d", a.IntN(300), a.IntN(100))
	}
	number := a.pick("0", "-0", "-0.0", "1", "-1", "-7", "0.01", "0.001", "-0.001", "1e2", "1E+2", "1e-2", "1e-3",
		"1e400", "-1e400", "1e-400",
		"1e999999999", "1e9999999999999999999", "0e999999999", "NaN", "Infinity", "-Infinity", "inf", "999999999999.99", "1000000000000",
		"-999999999999.99", "9223372036854775807", "18446744073709551617", "0.30000000000000004", "1.10000000000000000000000000000",
		"+5", ".5", "5.", "05",
		"0x10", "1_000", "1,000", "1,5", " 1", "1 ", "1/2", "١", "１", "1\\u0030", "\\u0031", "\\u0000",
		"", strings.Repeat("9", 70), "1"+strings.Repeat("0", 60))
	switch a.IntN(4) {
	case 0:
		return `"` + number + `"`
	case 1:
		return a.pick("null", "true", "{}", "[]", "[1]", `{"amount":"1","currency":"EUR"}`, `"\"1\""`, `""`, "{", `"`)
	}
	return number
}

// money is a value of version 2: mostly of the right form, with whatever in it.
func (a attacker) money() string {
	if a.IntN(6) == 0 {
		return a.amount()
	}
	amount := a.amount()
	if !strings.HasPrefix(amount, `"`) && a.IntN(8) > 0 {
		amount = `"` + amount + `"`
	}
	currency := a.pick("EUR", "EUR", "EUR", "EUR", "EUR", "JPY", "KWD", "eur", "XXX", "")
	return a.pick(`{"amount":`, `{"amount":`, `{"amount":`, `{"Amount":"7","amount":`, `{"amount":"7","amount":`) + amount +
		`,"currency":"` + currency + `"` + a.pick("}", "}", "}", `,"x":1}`, `,"currency":"EUR"}`)
}

func (a attacker) members() []string {
	text := func() string {
		return a.pick(`"John Doe"`, `"John Doe"`, `"John Doe"`, `""`, `" "`, `null`, `7`, `[]`, `"a\u0000"`, `"\ud800"`,
			"\"\xff\"", `"\u202e"`,
			`"`+strings.Repeat("x", 200)+`"`, `"`+strings.Repeat("x", 201)+`"`, `"<script>"`, `"a\nb"`)
	}
	members := []string{
		`"accountHolder":` + text(),
		`"accountType":` + a.pick(`"SAVINGS"`, `"SAVINGS"`, `"CURRENT"`, `"savings"`, `0`, `null`, `""`, `"GOLD"`),
	}
	name := a.pick("amount", "amount", "amount", "openingBalance", "openingBalance", "Amount", "AMOUNT", "am\\u006funt", "amount ")
	members = append(members, `"amount":`+a.amount(), `"`+name+`":`+a.amount(), `"id":`+text())
	a.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members[:a.IntN(len(members)+1)]
}

func (a attacker) body() string {
	switch a.IntN(20) {
	case 0:
		return a.bytes(80)
	case 1:
		return strings.Repeat(a.pick("[", `{"a":`, `{"amount":`), a.IntN(12_000))
	case 2:
		return `{"amount":1,"x":"` + strings.Repeat("y", 64<<10+a.IntN(3)-18) + `"}`
	case 3, 4, 5, 6, 7:
		return `{"amount":` + a.amount() + `}`
	case 8, 9:
		return `{"accountHolder":"A","accountType":"CURRENT","openingBalance":` + a.amount() + `}`
	case 10, 11, 12:
		return `{"amount":` + a.money() + a.pick("}", "}", "}", `,"reference":"x"}`, `,"reference":""}`, `,"id":"x"}`)
	case 13:
		return `{"accountHolder":"A","accountType":"CURRENT","openingBalance":` + a.money() + a.pick("}", `,"currency":"EUR"}`)
	}
	body := "{" + strings.Join(a.members(), ",") + "}"
	switch a.IntN(12) {
	case 0:
		return body[:a.IntN(len(body)+1)]
	case 1:
		return body + a.pick("{}", "x", " ", "\x00", `{"amount":7}`)
	case 2:
		return a.pick("\ufeff", " ", "\n\t", "//\n", ")]}'") + body
	case 3:
		changed := []byte(body)
		changed[a.IntN(len(changed))] = byte(a.Uint32())
		return string(changed)
	}
	return body
}

func (a attacker) headers() string {
	media := "application/json"
	if a.IntN(10) == 0 {
		media = a.pick("application/json; charset=utf-8", "text/plain", "", "application/json; charset=utf-16",
			"application/x-www-form-urlencoded")
	}
	h := "Content-Type: " + media + "\r\n"
	if a.IntN(6) == 0 {
		h += "Idempotency-Key: " + a.pick("k1", "k2", "k3", "k4", "k5", fmt.Sprint("k", a.IntN(300)), "", "ä",
			strings.Repeat("k", 256)) + "\r\n"
	}
	if a.IntN(6) == 0 {
		h += "If-Match: " + a.pick(`"0"`, `"1"`, `"5"`, "*", `W/"1"`, "1", `"-1"`, `"99999999999999999999"`, `"0", "1"`) + "\r\n"
	}
	if a.IntN(10) == 0 {
		h += a.pick("X-Correlation-Id: <x>", "traceparent: 00", "Content-Encoding: gzip",
			"Accept: image/png", "Origin: https://evil.example",
			"Idempotency-Key: second", "X-HTTP-Method-Override: DELETE", "Expect: 100-continue") + "\r\n"
	}
	return h
}

// request goes through the parser of net/http, as from a connection; what that
// refuses never reaches the API. The body is what the server would read.
func (a attacker) request() (*http.Request, string) {
	path := a.path()
	body := a.body()
	raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s",
		a.method(path), path, a.headers(), len(body), body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		return nil, ""
	}
	return r, body
}

// books adds up, from the events alone, what the requests have moved.
type books struct {
	position int64
	balances map[string]int64
}

// next returns the events since the last call, and by how much they have
// changed the sum of all balances.
func (k *books) next(t *testing.T, b *bank) (events []event.Envelope, moved int64) {
	t.Helper()
	codec := b.codec()
	for e, err := range b.store.ReadAll(t.Context(), k.position) {
		require.NoError(t, err)
		payload, err := codec.Decode(e.Type, e.Data)
		require.NoError(t, err)
		after := k.balances[e.Stream]
		switch p := payload.(type) {
		case contract.Opened:
			after = p.OpeningBalance.Minor()
		case contract.Deposited:
			after = p.Balance.Minor()
		case contract.Withdrawn:
			after = p.Balance.Minor()
		}
		moved += after - k.balances[e.Stream]
		k.balances[e.Stream], k.position = after, e.Position
		events = append(events, e)
	}
	return events, moved
}

// jsonNumber is the grammar of JSON. Whose digits are all 0 is 0, however large
// the exponent, and too large for big.Rat.
var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	jsonZero   = regexp.MustCompile(`^-?0(\.0+)?[eE]`)
)

// asked reads from an accepted request what it asked for, in minor units, by
// another decoder than the API's.
func asked(t *testing.T, r *http.Request, body string) int64 {
	t.Helper()
	if r.Method == http.MethodDelete || strings.Contains(r.URL.Path, "/closure") {
		return 0
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.UseNumber()
	var members map[string]any
	require.NoError(t, decoder.Decode(&members), body)
	name, sign := "amount", int64(1)
	switch {
	case strings.Contains(r.URL.Path, "openBank"), strings.TrimSuffix(r.URL.Path, "/") == v2Accounts:
		name = "openingBalance"
	case strings.Contains(r.URL.Path, "withdraw"):
		sign = -1
	}
	value, ok := members[name]
	isV2 := strings.HasPrefix(r.URL.Path, "/api/v2/")
	if name == "openingBalance" && (!ok || isV2 && value == nil) {
		return 0
	}
	scale := int64(100)
	if isV2 {
		money := value.(map[string]any)
		require.IsType(t, "", money["amount"], body)
		value = money["amount"]
		scale = map[string]int64{"EUR": 100, "JPY": 1, "KWD": 1000}[money["currency"].(string)]
	}
	text := fmt.Sprint(value) // of a json.Number or a string
	require.Regexp(t, jsonNumber, text, body)
	if jsonZero.MatchString(text) {
		text = "0"
	}
	amount, ok := new(big.Rat).SetString(text)
	require.True(t, ok, body)
	minor := amount.Mul(amount, big.NewRat(scale, 1))
	require.True(t, minor.IsInt(), body)
	if name == "amount" {
		require.Positive(t, minor.Sign(), body)
	}
	require.GreaterOrEqual(t, minor.Sign(), 0, body)
	return sign * minor.Num().Int64()
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	requests := 10_000
	b, _ := withRestores(t)
	a := attacker{Rand: random(t)}
	for range 40 {
		a.ids = append(a.ids, b.account(t))
	}
	k := &books{balances: map[string]int64{}}
	k.next(t, b)
	sum := int64(40 * 50_00)
	statuses, accepted := map[int]int{}, 0
	for n := 0; n < requests; {
		r, body := a.request()
		if r == nil {
			continue
		}
		n++
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		statuses[w.Code]++
		events, moved := k.next(t, b)
		sum += moved
		line := fmt.Sprintf("%s %s %v %.300q: %d %s", r.Method, r.URL, r.Header, body, w.Code, w.Body)
		require.Less(t, w.Code, 500, line)
		if len(events) == 0 {
			continue
		}
		accepted++
		require.Len(t, events, 1, line)
		require.Less(t, w.Code, 300, line)
		require.Empty(t, w.Header().Get("Idempotent-Replayed"), line)
		require.Equal(t, asked(t, r, body), moved, line)
	}
	for _, balance := range k.balances {
		require.GreaterOrEqual(t, balance, int64(0))
		sum -= balance
	}
	require.Zero(t, sum)
	t.Logf("%d accepted, %v", accepted, statuses)
	for _, status := range []int{200, 201, 400, 403, 404, 405, 412, 413, 415, 422} {
		require.NotZero(t, statuses[status], "no request got as far as %d: %v", status, statuses)
	}
	require.Greater(t, accepted, requests/50, "hardly any request was accepted")
}
