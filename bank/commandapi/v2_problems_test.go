package commandapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// provoked is one way to a row of the table of problems. Every one has a bank of
// its own on SQLite, with the account a that holds 50.00 EUR.
type provoked struct {
	code    web.Code
	status  int
	changes []func(*setup)
	give    func(t *testing.T, b *bank) answer
	more    func(t *testing.T, a answer, p web.Problem) // nil: nothing more to look at
}

func request2(path, body string, headers ...string) func(*testing.T, *bank) answer {
	return func(_ *testing.T, b *bank) answer { return b.send("POST", path, body, headers...) }
}

// refusals are the problems that need nothing but a request.
func refusals() []provoked {
	const a = v2Accounts + "/a"
	amount := func(amount, currency string) string {
		return `{"amount":{"amount":"` + amount + `","currency":"` + currency + `"}}`
	}
	return []provoked{
		{code: "invalid-request", status: 400, give: request2(a+"/deposits", amount("-7", "EUR")), more: func(t *testing.T, _ answer, p web.Problem) {
			require.Equal(t, []web.FieldError{{Field: "amount.amount", Detail: "must be greater than 0"}}, p.Errors)
		}},
		{code: "account-not-found", status: 404, give: request2(v2Accounts+"/nobody/deposits", amount("1", "EUR"))},
		{code: "account-exists", status: 409, give: request2(v2Accounts, `{"accountHolder":"A","accountType":"SAVINGS","accountId":"a"}`)},
		{code: "account-closed", status: 422, give: func(t *testing.T, b *bank) answer {
			b.v2Withdraw("a", "50").created(t, "a", 1, 2, "0.00")
			b.v2Close("a").created(t, "a", 2, 3, "")
			return b.v2Deposit("a", "1")
		}},
		{code: "insufficient-funds", status: 422, give: request2(a+"/withdrawals", amount("50.01", "EUR"))},
		{code: "balance-limit", status: 422, give: request2(a+"/deposits", amount("999999999999.99", "EUR"))},
		{code: "balance-not-zero", status: 422, give: request2(a+"/closure", "")},
		{code: "currency-mismatch", status: 422, give: request2(a+"/deposits", amount("1", "USD"))},
		{code: "currency-unknown", status: 400, give: request2(a+"/deposits", amount("1", "BTC")), more: func(t *testing.T, _ answer, p web.Problem) {
			require.Equal(t, "amount.currency", p.Errors[0].Field)
		}},
		{code: "version-conflict", status: 412, give: request2(a+"/deposits", amount("1", "EUR"), `If-Match: "3"`), more: versions(3, 0)},
		{code: "idempotency-key-reused", status: 422, give: func(t *testing.T, b *bank) answer {
			b.v2Deposit("a", "1", "Idempotency-Key: k").created(t, "a", 1, 2, "51.00")
			return b.v2Deposit("a", "2", "Idempotency-Key: k")
		}},
		{code: "too-large", status: 413, give: request2(v2Accounts, strings.Repeat(" ", 64<<10)+"{}")},
		{code: "unsupported-media-type", status: 415, give: request2(v2Accounts, "{}", "Content-Type: text/plain")},
		{code: "forbidden", status: 403, give: request2(v2Accounts, "{}", "Origin: https://evil.example")},
		{code: "not-found", status: 404, give: request2(v2Accounts+"/a", "{}")},
		{code: "method-not-allowed", status: 405, give: func(_ *testing.T, b *bank) answer { return b.send("GET", a+"/deposits", "") }, more: header("Allow", "POST")},
		{code: "unauthenticated", status: 401, give: request2(v2Accounts, "{}", "Authorization: none"), more: header("WWW-Authenticate", "Bearer")},
	}
}

func versions(expected, actual int64) func(*testing.T, answer, web.Problem) {
	return func(t *testing.T, _ answer, p web.Problem) {
		require.Equal(t, expected, *p.ExpectedVersion)
		require.Equal(t, actual, *p.ActualVersion)
	}
}

func header(name, value string) func(*testing.T, answer, web.Problem) {
	return func(t *testing.T, a answer, _ web.Problem) { require.Equal(t, value, a.header.Get(name)) }
}

// troubles are the problems for which something below has to go wrong; each
// leaves the bank in order.
func troubles(t *testing.T) []provoked {
	back := header("Retry-After", "1")
	failing := func(f faults) func(*testing.T, *bank) answer {
		return func(t *testing.T, b *bank) answer {
			b.engine.(*broken).set(f)
			a := b.v2Deposit("a", "1", "Idempotency-Key: k")
			b.engine.(*broken).set(faults{})
			require.Eventually(t, func() bool { return b.v2Deposit("a", "1", "Idempotency-Key: k").status == 201 }, patience, tick)
			b.requireBalance(t, "a", "51.00 EUR")
			return a
		}
	}
	faulty := on(&broken{Engine: sqliteEngine(t)})
	return []provoked{
		{code: "version-conflict", status: 409, changes: []func(*setup){faulty}, give: failing(faults{conflict: true}), more: versions(0, 7)},
		{
			code: "unavailable", status: 503, changes: []func(*setup){on(&broken{Engine: sqliteEngine(t)})}, more: back,
			give: failing(faults{append: fmt.Errorf("%w: %w", eventstore.ErrNotWritten, errEngine)}),
		},
		{
			code: "outcome-unknown", status: 504, give: cutOff,
			changes: []func(*setup){on(&gate{Engine: sqliteEngine(t), entered: make(chan struct{}, 100)})},
		},
		{
			code: "idempotency-key-in-flight", status: 409, more: back,
			changes: []func(*setup){on(&gate{Engine: sqliteEngine(t), entered: make(chan struct{}, 100)})}, give: inFlight,
		},
		{
			code: "too-many-requests", status: 429, more: back, give: overloaded,
			changes: []func(*setup){
				on(&gate{Engine: sqliteEngine(t), entered: make(chan struct{}, 100)}), func(s *setup) { s.store.QueueMax = 1 },
			},
		},
		{code: "internal", status: 500, give: unreadable, more: func(t *testing.T, a answer, p web.Problem) {
			require.Equal(t, "the log has more under request "+a.header.Get("X-Request-Id"), p.Detail)
		}},
	}
}

func inFlight(t *testing.T, b *bank) answer {
	engine := b.engine.(*gate)
	engine.shut()
	first := make(chan answer)
	go func() { first <- b.v2Deposit("a", "1", "Idempotency-Key: k") }()
	<-engine.entered
	a := b.v2Deposit("a", "1", "Idempotency-Key: k")
	engine.open()
	paid := <-first
	b.v2Deposit("a", "1", "Idempotency-Key: k").replayed(t, paid.created(t, "a", 1, 2, "51.00"))
	return a
}

// cutOff is a command whose client cannot wait until the store has confirmed it.
func cutOff(t *testing.T, b *bank) answer {
	engine := b.engine.(*gate)
	engine.shut()
	ctx, cutOff := context.WithCancel(t.Context())
	answered := make(chan answer)
	go func() {
		r := httptest.NewRequest(http.MethodPost, v2Accounts+"/a/deposits", strings.NewReader(`{"amount":`+euro("1")+`}`)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		answered <- answer{w.Code, w.Header(), w.Body.String()}
	}()
	<-engine.entered
	cutOff()
	a := <-answered
	engine.open()
	var again answer
	require.Eventually(t, func() bool {
		again = b.v2Deposit("a", "1", "Idempotency-Key: k")
		return again.status == 201
	}, patience, tick)
	require.Equal(t, "true", again.created(t, "a", 1, 2, "51.00").header.Get("Idempotent-Replayed"))
	return a
}

func overloaded(t *testing.T, b *bank) answer {
	b.v2Open("b", "0")
	b.v2Open("c", "0")
	engine := b.engine.(*gate)
	engine.shut()
	answers := make(chan answer)
	go func() { answers <- b.v2Deposit("a", "1") }()
	<-engine.entered
	go func() { answers <- b.v2Deposit("b", "1") }()
	require.Eventually(t, func() bool { return b.store.Stats().Waiting == 1 }, patience, tick)
	a := b.v2Deposit("c", "1")
	engine.open()
	require.Equal(t, []int{201, 201}, []int{(<-answers).status, (<-answers).status})
	b.requireBalance(t, "c", "0.00 EUR")
	return a
}

// unreadable asks for an account with an event of a later program.
func unreadable(t *testing.T, b *bank) answer {
	_, err := b.store.Append(t.Context(), eventstore.Commit{
		Stream: "future", Expected: event.NoVersion, Events: []event.Envelope{{
			ID: event.NewID(), Type: event.Type{Name: "passbook.account.secret", Schema: 9},
			Time: event.Truncate(time.Now()), Data: []byte(`{}`),
		}},
	})
	require.NoError(t, err)
	return b.v2Deposit("future", "1")
}

func TestV2_Problems(t *testing.T) {
	t.Parallel()
	seen := map[web.Code]bool{}
	var document struct {
		Codes []struct{ Code web.Code } `json:"x-problem-codes"`
	}
	for _, p := range append(refusals(), troubles(t)...) {
		seen[p.code] = true
		t.Run(fmt.Sprint(p.code, p.status), func(t *testing.T) {
			changes := append([]func(*setup){on(sqliteEngine(t)), func(s *setup) {
				s.api.Admit = func(r *http.Request, _ *web.Operation) (context.Context, error) {
					if r.Header.Get("Authorization") != "" {
						return nil, web.Unauthenticated("send an API key")
					}
					return r.Context(), nil
				}
			}}, p.changes...)
			b := open(t, changes...)
			b.v2Open("a", "50").created(t, "a", 0, 1, "50.00")
			a := p.give(t, b)
			require.NotContains(t, a.body, "secret")
			require.Empty(t, a.header.Get("ETag"))
			require.Empty(t, a.header.Get("Idempotent-Replayed"))
			var got web.Problem
			require.NoError(t, json.Unmarshal([]byte(a.body), &got), a.body)
			got = a.refused(t, p.status, p.code, got.Detail)
			require.Equal(t, p.code.Title(), got.Title)
			require.Equal(t, "/docs#"+string(p.code), got.Type)
			if p.more != nil {
				p.more(t, a, got)
			}
			require.NoError(t, json.Unmarshal([]byte(b.send("GET", "/openapi.json", "").body), &document))
		})
	}
	require.NotEmpty(t, document.Codes)
	for _, row := range document.Codes {
		require.True(t, seen[row.Code], "the document lists %s, and nothing here leads to it", row.Code)
	}
}
