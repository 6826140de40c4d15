package commandapi_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
)

const reusedKey = "this key was used for a request with another method, path, body or If-Match"

// again checks that an answer of version 2 is the first one, with all its headers.
func (a answer) again(t *testing.T, first answer) {
	t.Helper()
	a.replayed(t, first)
	require.Equal(t, first.header.Values("Location"), a.header.Values("Location"))
}

// story is one of each command, and the answers to them.
type story struct {
	path, body string
	first      answer
	same       []string // other bodies that say the same
}

func (s *story) send(b *bank) answer {
	return b.send("POST", s.path, s.body, "Idempotency-Key: "+s.path)
}

func stories() []*story {
	return []*story{
		{
			path: v2Accounts, body: `{"accountHolder":"John Doe","accountType":"SAVINGS","accountId":"a","openingBalance":` + euro("50") + `}`,
			same: []string{
				`{"openingBalance":{"currency":"EUR","amount":"50.0"},"accountId":"\u0061","accountType":"SAVINGS","accountHolder":"John Doe"}`,
				`{"accountHolder":"John Doe","accountType":"SAVINGS","accountId":"a","phone":null,"openingBalance":` + euro("50.00") + `}`,
			},
		},
		{
			path: v2Accounts + "/a/deposits", body: `{"amount":` + euro("100.1") + `,"reference":"salary"}`,
			same: []string{`{ "reference" : "sal\u0061ry", "amount" : ` + euro("100.10") + ` }`},
		},
		{
			path: v2Accounts + "/a/withdrawals", body: `{"amount":` + euro("150.10") + `}`,
			same: []string{`{"reference":null,"amount":` + euro("150.1") + `}`},
		},
		{path: v2Accounts + "/a/closure", body: ``, same: []string{`{}`, `{"reason":null}`}},
	}
}

// Answers are kept with the events, to the byte: the balance of then, whatever it
// is now, after any restart.
func TestV2_Replay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	all := stories()
	process := func(run func(t *testing.T, b *bank)) {
		t.Run("process", func(t *testing.T) {
			engine, err := sqlite.OpenEventStore(t.Context(), path)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, engine.Close()) })
			run(t, open(t, on(engine)))
		})
	}
	process(func(t *testing.T, b *bank) {
		for _, s := range all {
			s.first = s.send(b)
			require.Equal(t, http.StatusCreated, s.first.status, s.first.body)
		}
		require.JSONEq(t, done("a", 1, 2, "150.10"), all[1].first.body)
	})
	for range 2 {
		process(func(t *testing.T, b *bank) {
			for _, s := range all {
				s.send(b).again(t, s.first)
				for _, body := range s.same {
					b.send("POST", s.path+"/", body, "Idempotency-Key: "+s.path).again(t, s.first)
				}
			}
			require.Len(t, b.events(t), len(all))
		})
	}
}

// An id that the service has chosen is chosen once.
func TestV2_Replay_ChosenID(t *testing.T) {
	t.Parallel()
	b := open(t)
	const body = `{"accountHolder":"A","accountType":"SAVINGS"}`
	first := b.send("POST", v2Accounts, body, "Idempotency-Key: k")
	id := uuid.FindString(first.body)
	b.v2Deposit(id, "1")
	b.send("POST", v2Accounts, body, "Idempotency-Key: k").again(t, first)
	b.send("POST", v2Accounts, `{"accountHolder":"A","accountType":"SAVINGS","accountId":"`+id+`"}`, "Idempotency-Key: k").
		refused(t, 422, web.CodeIdempotencyKeyReused, reusedKey)
}

// A setting that was changed in between does not turn a repeated request into
// another one.
func TestV2_Replay_OtherCurrencyOfTheService(t *testing.T) {
	t.Parallel()
	engine := memory.NewEventStore()
	const body = `{"accountHolder":"A","accountType":"SAVINGS"}`
	first := open(t, on(engine)).send("POST", v2Accounts, body, "Idempotency-Key: k")
	b := open(t, on(engine), func(s *setup) { s.api.Currency = currency(t, "JPY") })
	b.send("POST", v2Accounts, body, "Idempotency-Key: k").again(t, first)
}

func TestV2_Reused(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.v2Open("a", "50", "Idempotency-Key: open")
	b.v2Open("b", "50")
	b.v2Deposit("a", "1", "Idempotency-Key: in")
	b.deposit("a", "1", "Idempotency-Key: v1").ok(t)
	b.send("POST", v2Accounts+"/a/deposits", `{"amount":`+euro("1")+`,"reference":"x"}`, "Idempotency-Key: ref")
	b.v2Open("c", "0")
	b.send("POST", v2Accounts+"/c/closure", `{"reason":"x"}`, "Idempotency-Key: over")
	events := len(b.events(t))

	const key = "Idempotency-Key: in"
	opening := func(more string) answer {
		return b.send("POST", v2Accounts, `{"accountHolder":"John Doe","accountType":"SAVINGS"`+more+`}`, "Idempotency-Key: open")
	}
	const balance = `,"openingBalance":{"amount":"50","currency":"EUR"}`
	for name, a := range map[string]answer{
		"amount":       b.v2Deposit("a", "2", key),
		"currency":     b.send("POST", v2Accounts+"/a/deposits", `{"amount":{"amount":"1","currency":"USD"}}`, key),
		"reference":    b.send("POST", v2Accounts+"/a/deposits", `{"amount":`+euro("1")+`,"reference":"x"}`, key),
		"no reference": b.v2Deposit("a", "1", "Idempotency-Key: ref"),
		"account":      b.v2Deposit("b", "1", key),
		"path":         b.v2Withdraw("a", "1", key),
		"closure":      b.v2Close("a", key),
		"reason":       b.v2Close("c", "Idempotency-Key: over"),
		"version 1":    b.deposit("a", "1", key),
		"version 2":    b.v2Deposit("a", "1", "Idempotency-Key: v1"),
		"If-Match":     b.v2Deposit("a", "1", key, `If-Match: "0"`),
		"any":          b.v2Deposit("a", "1", key, `If-Match: *`),
		"refusal":      b.v2Withdraw("a", "1000", key),
		"opening":      b.v2Open("z", "1", key),

		"accountId":   opening(balance + `,"accountId":"z"`),
		"no id":       opening(balance),
		"phone":       opening(balance + `,"accountId":"a","phone":"1"`),
		"email":       opening(balance + `,"accountId":"a","email":"1"`),
		"as currency": opening(balance + `,"accountId":"a","currency":"EUR"`),
		"balance":     opening(`,"accountId":"a","openingBalance":` + euro("50.01")),
		"no balance":  opening(`,"accountId":"a"`),
	} {
		p := a.problem(t, http.StatusUnprocessableEntity, web.CodeIdempotencyKeyReused, map[bool]string{true: reusedKey}[name == "version 1"])
		require.Equal(t, reusedKey, p.Detail, name)
	}
	// What can never be right is told first.
	b.v2Deposit("a", "0", key).refused(t, 400, web.CodeInvalidRequest, "amount.amount must be greater than 0")
	require.Len(t, b.events(t), events)
}

// Text that could flow from one member into the next makes another request.
func TestV2_Reused_NeighbouringMembers(t *testing.T) {
	t.Parallel()
	b := open(t)
	opening := func(phone, email string) answer {
		return b.send("POST", v2Accounts, `{"accountHolder":"A","accountType":"SAVINGS"`+phone+email+`}`, "Idempotency-Key: k")
	}
	require.Equal(t, 201, opening(`,"phone":"1"`, "").status)
	opening("", `,"email":"1"`).refused(t, 422, web.CodeIdempotencyKeyReused, reusedKey)
	opening(`,"phone":"1:"`, "").refused(t, 422, web.CodeIdempotencyKeyReused, reusedKey)
}

func TestV2_RefusalIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.v2Open("a", "50")
	b.v2Withdraw("a", "60", "Idempotency-Key: k").refused(t, 422, web.CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	b.v2Deposit("a", "10")
	first := b.v2Withdraw("a", "60", "Idempotency-Key: k").created(t, "a", 2, 3, "0.00")
	b.v2Withdraw("a", "60", "Idempotency-Key: k").again(t, first)
	b.v2Close("a", "Idempotency-Key: over").created(t, "a", 3, 4, "")
	b.v2Withdraw("a", "60", "Idempotency-Key: k").again(t, first)
}

func TestV2_IfMatch(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.v2Open("a", "50")
	b.v2Deposit("a", "1", `If-Match: "0"`).created(t, "a", 1, 2, "51.00")
	b.v2Withdraw("a", "1", "If-Match: *").created(t, "a", 2, 3, "50.00")
	for _, a := range []answer{
		b.v2Deposit("a", "1", `If-Match: "1"`), b.v2Withdraw("a", "1", `If-Match: "1"`), b.v2Close("a", `If-Match: "1"`),
		b.v2Withdraw("a", "1000", `If-Match: "1"`), b.v2Open("a", "1", `If-Match: "1"`),
	} {
		versions(1, 2)(t, a, a.refused(t, 412, web.CodeVersionConflict, otherVersion))
	}
	b.v2Deposit("a", "0", `If-Match: "1"`).refused(t, 400, web.CodeInvalidRequest, "amount.amount must be greater than 0")
	b.v2Deposit("a", "1", `If-Match: 2`).refused(t, 400, web.CodeInvalidRequest, `If-Match: must be one version in quotes, such as "3", or *`)
	b.v2Deposit("nobody", "1", `If-Match: "0"`).refused(t, 404, web.CodeAccountNotFound, "Incorrect account ID provided!")
	b.v2Open("a", "1", `If-Match: "2"`).refused(t, 409, web.CodeAccountExists, "An account with this ID already exists!")
	for _, tag := range []string{"*", `"0"`} {
		versions(0, -1)(t, answer{}, b.v2Open("new", "1", "If-Match: "+tag).refused(t, 412, web.CodeVersionConflict, otherVersion))
	}
	// The key is looked up before the version is compared, and not remembered
	// where that has refused.
	b.v2Deposit("a", "1", "Idempotency-Key: k", `If-Match: "3"`).refused(t, 412, web.CodeVersionConflict, otherVersion)
	b.v2Deposit("a", "1").created(t, "a", 3, 4, "51.00")
	first := b.v2Deposit("a", "1", "Idempotency-Key: k", `If-Match: "3"`).created(t, "a", 4, 5, "52.00")
	b.v2Deposit("a", "1", "Idempotency-Key: k", `If-Match: "3"`).again(t, first)
	require.Len(t, b.events(t), 5)
}

// However many send the same request at once, in however many processes, it
// happens once, and everybody who gets through hears the same.
func TestV2_Concurrent(t *testing.T) {
	t.Parallel()
	for name, instances := range map[string]int{"SQLite": 1, "Processes": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := eventstore.Engine(shared{memory.NewEventStore()})
			if instances == 1 {
				engine = sqliteEngine(t)
			}
			var banks []*bank
			for range instances {
				banks = append(banks, open(t, on(engine)))
			}
			for i, s := range stories() {
				answers := sendAtOnce(t, banks, s.send)
				requireOnce(t, answers)
				require.Equal(t, answers[0].header.Get("Location"), answers[1].header.Get("Location"))
				require.Len(t, banks[0].events(t), i+1)
			}
		})
	}
}

// A key belongs to whoever chose it, in both versions.
func TestV2_KeysOfTwoClients(t *testing.T) {
	t.Parallel()
	type actorKey struct{}
	b := open(t, func(s *setup) {
		s.api.Admit = func(r *http.Request, op *web.Operation) (context.Context, error) {
			require.Equal(t, "command", op.Scope)
			return context.WithValue(r.Context(), actorKey{}, event.Actor(r.Header.Get("Authorization"))), nil
		}
		s.api.Actor = func(ctx context.Context) event.Actor { return ctx.Value(actorKey{}).(event.Actor) }
	})
	b.v2Open("a", "50", "Authorization: alice")
	first := b.v2Deposit("a", "1", "Idempotency-Key: k", "Authorization: alice")
	b.v2Deposit("a", "2", "Idempotency-Key: k", "Authorization: bob").created(t, "a", 2, 3, "53.00")
	b.v2Deposit("a", "1", "Idempotency-Key: k", "Authorization: alice").again(t, first)
	require.Equal(t, event.Actor("bob"), b.events(t)[2].Metadata.Actor)
}
