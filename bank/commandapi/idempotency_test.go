package commandapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// replayed checks that an answer is the first one again.
func (a answer) replayed(t *testing.T, first answer) {
	t.Helper()
	require.Equal(t, first.status, a.status, a.body)
	require.Equal(t, first.body, a.body)
	require.Equal(t, first.header.Get("ETag"), a.header.Get("ETag"))
	require.Equal(t, first.header.Get("Content-Type"), a.header.Get("Content-Type"))
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	require.Equal(t, "true", a.header.Get("Idempotent-Replayed"))
}

func TestIdempotency_Replay(t *testing.T) {
	t.Parallel()
	b := open(t)
	first := b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open 1")
	id := first.id(t)
	for _, body := range []string{
		openBody,
		`{ "openingBalance" : "5e1", "accountType":"SAVINGS", "id":"x", "accountHolder":"\u004aohn Doe" }`,
	} {
		b.send("POST", "/api/v1/openBankAccount/", body, "Idempotency-Key: open 1").replayed(t, first)
	}
	paid := b.deposit(id, "100.1", "Idempotency-Key: in")
	drawn := b.withdraw(id, "20", "Idempotency-Key: out")
	over := b.close(id, "Idempotency-Key: over", "If-Match: *")
	events := len(b.events(t))

	for _, amount := range []string{"100.1", "100.10", `"100.1"`, "1.001e2", `"100.100000", "x":[1]`} {
		b.deposit(id, amount, "Idempotency-Key: in").replayed(t, paid)
	}
	b.send("PUT", "/api/v1/depositFunds/"+id+"/", `{"amount":100.1}`, "Idempotency-Key: in").replayed(t, paid)
	b.withdraw(id, "20.0", "Idempotency-Key: out").replayed(t, drawn)
	b.close(id, "Idempotency-Key: over", "If-Match: *").replayed(t, over)
	require.Len(t, b.events(t), events)
	b.requireBalance(t, id, "130.10 EUR")
}

func TestIdempotency_Reused(t *testing.T) {
	t.Parallel()
	b := open(t)
	id, other := b.account(t), b.account(t)
	b.deposit(id, "1", "Idempotency-Key: k").ok(t)
	events := len(b.events(t))
	const key = "Idempotency-Key: k"
	for name, a := range map[string]answer{
		"amount":   b.deposit(id, "2", key),
		"account":  b.deposit(other, "1", key),
		"path":     b.withdraw(id, "1", key),
		"method":   b.close(id, key),
		"opening":  b.send("POST", "/api/v1/openBankAccount", openBody, key),
		"If-Match": b.deposit(id, "1", key, `If-Match: "0"`),
		"any":      b.deposit(id, "1", key, `If-Match: *`),
		// What would be refused without the key is a reused key, too.
		"refusal": b.withdraw(id, "1000", key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a.problem(t, http.StatusUnprocessableEntity, web.CodeIdempotencyKeyReused,
				"this key was used for a request with another method, path, body or If-Match")
		})
	}
	require.Len(t, b.events(t), events)
}

// The members of an opening, one by one.
func TestIdempotency_ReusedOpening(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: k").id(t)
	for _, body := range []string{
		`{"accountHolder":"John  Doe","accountType":"SAVINGS","openingBalance":50.0}`,
		`{"accountHolder":"John Doe","accountType":"CURRENT","openingBalance":50.0}`,
		`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":50.01}`,
		`{"accountHolder":"John Doe","accountType":"SAVINGS"}`,
	} {
		a := b.send("POST", "/api/v1/openBankAccount", body, "Idempotency-Key: k")
		require.Equal(t, http.StatusUnprocessableEntity, a.status, a.body)
	}
	require.Len(t, b.events(t), 1)
}

func TestIdempotency_RefusalIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	b.withdraw(id, "60", "Idempotency-Key: k").problem(t, 400, web.CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	b.deposit(id, "10").ok(t)
	a := b.withdraw(id, "60", "Idempotency-Key: k").ok(t)
	require.Empty(t, a.header.Get("Idempotent-Replayed"))
	// Now the same request would be refused, were it not for its key.
	b.withdraw(id, "60", "Idempotency-Key: k").replayed(t, a)
}

func TestIdempotency_ComesBeforeIfMatch(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	a := b.deposit(id, "1", "Idempotency-Key: k", `If-Match: "0"`).ok(t)
	b.deposit(id, "1").ok(t)
	b.deposit(id, "1", "Idempotency-Key: k", `If-Match: "0"`).replayed(t, a)
}

func TestIdempotency_InvalidKey(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	longest := strings.Repeat("~", 255)
	b.deposit(id, "1", "Idempotency-Key: "+longest).ok(t)
	b.deposit(id, "1", "Idempotency-Key: a b").ok(t)
	events := len(b.events(t))
	for name, headers := range map[string][]string{
		"empty":   {"Idempotency-Key: "},
		"long":    {"Idempotency-Key: " + longest + "~"},
		"letter":  {"Idempotency-Key: é"},
		"control": {"Idempotency-Key: a\x7fb"},
		"tab":     {"Idempotency-Key: a\tb"},
		"twice":   {"Idempotency-Key: a", "Idempotency-Key: b"},
		"again":   {"Idempotency-Key: a", "Idempotency-Key: a"},
	} {
		p := b.deposit(id, "1", headers...).problem(t, 400, web.CodeInvalidRequest,
			"Idempotency-Key: must be 1 to 255 printable ASCII characters, and be sent once")
		require.Equal(t, "Idempotency-Key", p.Errors[0].Field, name)
	}
	require.Len(t, b.events(t), events)
}

// A key belongs to whoever chose it.
func TestIdempotency_KeysOfTwoClients(t *testing.T) {
	t.Parallel()
	type actorKey struct{}
	b := open(t, func(s *setup) {
		s.api.Admit = func(r *http.Request, op *web.Operation) (context.Context, error) {
			require.Equal(t, "command", op.Scope)
			name := r.Header.Get("Authorization")
			if name == "" {
				return nil, web.Unauthenticated("send an API key")
			}
			return context.WithValue(r.Context(), actorKey{}, event.Actor(name)), nil
		}
		s.api.Actor = func(ctx context.Context) event.Actor { return ctx.Value(actorKey{}).(event.Actor) }
	})
	b.send("POST", "/api/v1/openBankAccount", openBody).problem(t, 401, web.CodeUnauthenticated, "send an API key")
	id := b.send("POST", "/api/v1/openBankAccount", openBody, "Authorization: alice").id(t)
	first := b.deposit(id, "1", "Idempotency-Key: k", "Authorization: alice").ok(t)
	b.deposit(id, "2", "Idempotency-Key: k", "Authorization: bob").ok(t)
	b.deposit(id, "1", "Idempotency-Key: k", "Authorization: alice").replayed(t, first)
	b.requireBalance(t, id, "53.00 EUR")
	require.Equal(t, event.Actor("alice"), b.events(t)[1].Metadata.Actor)
	require.Equal(t, event.Actor("bob"), b.events(t)[2].Metadata.Actor)
}

func TestIdempotency_AfterRestart(t *testing.T) {
	t.Parallel()
	engine := memory.NewEventStore()
	b := open(t, on(engine))
	first := b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open")
	id := first.id(t)
	paid := b.deposit(id, "1", "Idempotency-Key: in").ok(t)

	b = open(t, on(engine))
	b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open").replayed(t, first)
	b.deposit(id, "1.0", "Idempotency-Key: in").replayed(t, paid)
	require.Len(t, b.events(t), 2)
}

// shared declares what is true of an engine on which several stores stand.
type shared struct{ eventstore.Engine }

func (shared) Features() eventstore.Features { return eventstore.Features{SharedWriters: true} }

// However many send the same request at once, in however many processes, it
// happens once, and everybody who got through hears the same.
func TestIdempotency_Concurrent(t *testing.T) {
	t.Parallel()
	for name, instances := range map[string]int{"OneProcess": 1, "Processes": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := eventstore.Engine(memory.NewEventStore())
			if instances > 1 {
				engine = shared{engine}
			}
			var banks []*bank
			for range instances {
				banks = append(banks, open(t, on(engine)))
			}
			id := banks[0].account(t)
			for _, give := range []func(*bank) answer{
				func(b *bank) answer {
					return b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open")
				},
				func(b *bank) answer { return b.deposit(id, "1", "Idempotency-Key: in") },
				func(b *bank) answer { return b.withdraw(id, "51", "Idempotency-Key: out") },
				func(b *bank) answer { return b.close(id, "Idempotency-Key: over") },
			} {
				before := len(banks[0].events(t))
				requireOnce(t, sendAtOnce(t, banks, give))
				require.Len(t, banks[0].events(t), before+1)
			}
		})
	}
}

// sendAtOnce has 24 clients send the same request until they are answered.
func sendAtOnce(t *testing.T, banks []*bank, give func(*bank) answer) []answer {
	t.Helper()
	const clients = 24
	answers := make([]answer, clients)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range answers {
		all.Go(func() {
			<-start
			for {
				answers[i] = give(banks[i%len(banks)])
				if answers[i].status != http.StatusConflict {
					return
				}
				if !strings.Contains(answers[i].body, "idempotency-key-in-flight") || answers[i].header.Get("Retry-After") != "1" {
					return // requireOnce reports it
				}
			}
		})
	}
	close(start)
	all.Wait()
	return answers
}

func requireOnce(t *testing.T, answers []answer) {
	t.Helper()
	firsts := 0
	for _, a := range answers {
		require.Less(t, a.status, 300, a.body)
		require.Equal(t, answers[0].body, a.body)
		require.Equal(t, answers[0].header.Get("ETag"), a.header.Get("ETag"))
		if a.header.Get("Idempotent-Replayed") == "" {
			firsts++
		}
	}
	require.Equal(t, 1, firsts)
}

// The same of requests without a key: each is a command of its own, and no two
// spend the same money.
func TestRacingWithdrawals(t *testing.T) {
	t.Parallel()
	engine := shared{memory.NewEventStore()}
	banks := []*bank{open(t, on(engine)), open(t, on(engine))}
	id := banks[0].account(t)
	statuses := make([]int, 80)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			for { // 409: others were faster, sixteen times
				statuses[i] = banks[i%2].withdraw(id, "1").status
				if statuses[i] != http.StatusConflict {
					return
				}
			}
		})
	}
	all.Wait()
	counts := map[int]int{}
	for _, status := range statuses {
		counts[status]++
	}
	require.Equal(t, map[int]int{200: 50, 400: 30}, counts)
	banks[0].requireBalance(t, id, "0.00 EUR")
}

// A client that hangs up does not take its command back.
func TestIdempotency_ClientGone(t *testing.T) {
	t.Parallel()
	engine := newGate()
	b := open(t, on(engine))
	id := b.account(t)
	engine.shut()

	ctx, hangUp := context.WithCancel(t.Context())
	r := httptest.NewRequest(http.MethodPut, "/api/v1/depositFunds/"+id, strings.NewReader(`{"amount":1}`)).WithContext(ctx)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	answered := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		answered <- w.Code
	}()
	<-engine.entered
	hangUp()
	require.Equal(t, http.StatusGatewayTimeout, <-answered)

	a := b.deposit(id, "1", "Idempotency-Key: k")
	a.problem(t, http.StatusConflict, web.CodeIdempotencyKeyInFlight, "the first request with this key is still being answered")
	require.Equal(t, "1", a.header.Get("Retry-After"))
	engine.open()
	require.NoError(t, b.store.Await(t.Context(), 1))
	require.Eventually(t, func() bool { a = b.deposit(id, "1", "Idempotency-Key: k"); return a.status == 200 }, patience, tick)
	require.Equal(t, "true", a.header.Get("Idempotent-Replayed"))
	require.JSONEq(t, deposited, a.body)
	require.Equal(t, `"1"`, a.header.Get("ETag"))
	require.Len(t, b.events(t), 2)
}
