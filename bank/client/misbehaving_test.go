package client_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/client"
	"passbook/contract/account"
)

// script is a service that answers the first request by its first act, the
// second by its second, and all later ones by its last.
type script struct {
	*httptest.Server

	mu       sync.Mutex
	acts     []http.HandlerFunc
	requests []*http.Request
	bodies   []string
}

func play(t *testing.T, acts ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{acts: acts}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := readAll(r.Body)
	s.mu.Lock()
	act := s.acts[min(len(s.requests), len(s.acts)-1)]
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, body)
	s.mu.Unlock()
	act(w, r)
}

// seen returns the requests so far.
func (s *script) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...)
}

// requireOneCommand wants all requests to have been the same command under the
// same key, so many times.
func (s *script) requireOneCommand(t *testing.T, times int) string {
	t.Helper()
	requests := s.seen()
	require.Len(t, requests, times)
	key := requests[0].Header.Get("Idempotency-Key")
	require.NotEmpty(t, key)
	for i, r := range requests {
		require.Equal(t, key, r.Header.Get("Idempotency-Key"), "attempt %d", i)
		require.Equal(t, s.bodies[0], s.bodies[i], "attempt %d", i)
	}
	return key
}

func reply(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// cut ends the connection without an answer, as a service does that is killed
// after it has committed.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// cutInBody ends it in the middle of an answer.
func cutInBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "500")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(`{"accountId":"a1",`))
	panic(http.ErrAbortHandler)
}

// hang answers when the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

const (
	receipt       = `{"accountId":"a1","version":3,"position":77,"balance":{"amount":"12.50","currency":"EUR"}}`
	unavailable   = `{"status":503,"code":"unavailable","title":"The service cannot answer now, and nothing has happened"}`
	unknown       = `{"status":504,"code":"outcome-unknown"}`
	inFlight      = `{"status":409,"code":"idempotency-key-in-flight"}`
	tooMany       = `{"status":429,"code":"too-many-requests","detail":"slow down"}`
	insufficient  = `{"status":422,"code":"insufficient-funds","title":"The balance is too low","detail":"the balance is 1.00 EUR"}`
	versionAnswer = `{"status":412,"code":"version-conflict","detail":"the version is another","expectedVersion":1,"actualVersion":4}`
)

func dial(t *testing.T, url string, timeout time.Duration) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{CommandURL: url, QueryURL: url, NotifyURL: url, Timeout: timeout})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// deposit gives the service a command that it can misbehave on.
func deposit(t *testing.T, url string, timeout time.Duration) (client.Receipt, error) {
	t.Helper()
	amount, err := account.ParseMoney("12.50", "EUR")
	require.NoError(t, err)
	return dial(t, url, timeout).Deposit(t.Context(), "a1", client.Movement{Amount: amount}, client.CommandOptions{})
}
