package commandapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/account"
	"passbook/bank/commandapi"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// setup is what a bank is made of; tests change what they are about.
type setup struct {
	engine    eventstore.Engine
	store     eventstore.Config
	aggregate aggregate.Config
	api       commandapi.Config
}

// bank is the command API over a running event store.
type bank struct {
	http.Handler
	engine   eventstore.Engine
	store    *eventstore.Store
	accounts *aggregate.Repository[account.State]
	stop     func() // as a process that ends; the test's end does it too
}

// quiet keeps expected failures out of the test's output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func currency(t *testing.T, code string) contract.Currency {
	t.Helper()
	c, err := contract.ParseCurrency(code)
	require.NoError(t, err)
	return c
}

// open starts a bank that runs until the test ends.
func open(t *testing.T, changes ...func(*setup)) *bank {
	t.Helper()
	registry := prometheus.NewRegistry()
	s := setup{
		engine:    memory.NewEventStore(),
		store:     eventstore.Config{Logger: quiet()},
		aggregate: aggregate.Config{Logger: quiet()},
		api: commandapi.Config{
			Currency: currency(t, "EUR"), Version: "test", Logger: quiet(),
			Metrics: registry, Probes: web.NewProbes(registry),
		},
	}
	for _, change := range changes {
		change(&s)
	}
	store, err := eventstore.New(t.Context(), s.engine, s.store)
	require.NoError(t, err)
	stop := run(t, store)
	accounts := aggregate.NewRepository(store, commandapi.Definition(), s.aggregate)
	s.api.Repository = accounts
	api, err := commandapi.New(s.api)
	require.NoError(t, err)
	return &bank{Handler: api, engine: s.engine, store: store, accounts: accounts, stop: stop}
}

// run has a store work until the test ends, or until it is stopped before.
func run(t *testing.T, store *eventstore.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("event store: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// on puts a bank on an engine, so that several stand on one, as processes do.
func on(engine eventstore.Engine) func(*setup) { return func(s *setup) { s.engine = engine } }

// sqliteEngine keeps events in a file, until the test ends.
func sqliteEngine(t *testing.T) eventstore.Engine {
	t.Helper()
	engine, err := sqlite.OpenEventStore(t.Context(), filepath.Join(t.TempDir(), "events.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return engine
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send gives a request to the API. A body goes as JSON unless the headers say
// otherwise ("Content-Type: text/plain"; "Content-Type:" takes it away).
func (b *bank) send(method, target, body string, headers ...string) answer {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		if value = strings.TrimSpace(value); value == "" && name == "Content-Type" {
			r.Header.Del(name)
		} else if name == "Content-Type" {
			r.Header.Set(name, value)
		} else {
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (b *bank) deposit(id, amount string, headers ...string) answer {
	return b.send("PUT", "/api/v1/depositFunds/"+id, `{"amount":`+amount+`}`, headers...)
}

func (b *bank) withdraw(id, amount string, headers ...string) answer {
	return b.send("PUT", "/api/v1/withdrawFunds/"+id, `{"amount":`+amount+`}`, headers...)
}

func (b *bank) close(id string, headers ...string) answer {
	return b.send("DELETE", "/api/v1/closeBankAccount/"+id, "", headers...)
}

const openBody = `{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":50.0}`

// account opens one with 50.00 EUR and returns its id.
func (b *bank) account(t *testing.T) string {
	t.Helper()
	return b.send("POST", "/api/v1/openBankAccount", openBody).id(t)
}

// id is that of an opening's answer.
func (a answer) id(t *testing.T) string {
	t.Helper()
	require.Equal(t, http.StatusCreated, a.status, a.body)
	var body struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &body))
	return body.ID
}

// ok checks a success of version 1.
func (a answer) ok(t *testing.T) answer {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	return a
}

// problem checks a refusal and returns it.
func (a answer) problem(t *testing.T, status int, code web.Code, message string) web.Problem {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	var p web.Problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	require.Equal(t, code, p.Code, a.body)
	require.Equal(t, status, p.Status)
	require.Equal(t, message, p.Message)
	return p
}

// balance is the account's, as its events tell, and its version.
func (b *bank) balance(t *testing.T, id string) (string, int64) {
	t.Helper()
	state, version, err := b.accounts.Load(t.Context(), id, -1)
	require.NoError(t, err)
	return state.Balance.String(), version
}

func (b *bank) requireBalance(t *testing.T, id, want string) {
	t.Helper()
	got, _ := b.balance(t, id)
	require.Equal(t, want, got)
}

// events are all there are.
func (b *bank) events(t *testing.T) []event.Envelope {
	t.Helper()
	var all []event.Envelope
	for e, err := range b.store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// problemJSON is a problem's body to the byte; fault is the value of its member
// errors, if it has one.
func problemJSON(code web.Code, status int, message, fault string) string {
	text, _ := json.Marshal(message)
	body := fmt.Sprintf(`{"type":"/docs#%s","title":%q,"status":%d,"detail":%s,"code":%q,"message":%s`,
		code, code.Title(), status, text, code, text)
	if fault != "" {
		body += `,"errors":` + fault
	}
	return body + "}"
}

// openAs opens an account with 50.00 EUR under an id of the test's choice.
func (b *bank) openAs(t *testing.T, id string) {
	t.Helper()
	money, err := contract.ParseMoney("50.00", "EUR")
	require.NoError(t, err)
	command := account.OpenAccount{AccountID: id, Holder: "John Doe", Type: contract.Savings, OpeningBalance: money}
	_, err = b.accounts.Execute(t.Context(), aggregate.Request[account.State]{Stream: id, Decide: command.Decide})
	require.NoError(t, err)
}

// codec reads the bank's events.
func (b *bank) codec() *event.Codec { return commandapi.Definition().Codec }
