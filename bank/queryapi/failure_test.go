package queryapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/web"
)

// sentences are what clients of version 1 read when a lookup fails inside.
var sentences = map[string]string{
	"":                           "Failed to complete get all accounts request",
	"/":                          "Failed to complete get all accounts request",
	"/byId/0":                    "Failed to complete get  account by id request",
	"/byHolder/Holder":           "Failed to complete get  account by holder request",
	"/withBalance/LESS_THEN/100": "Failed to complete get  account with balance request",
}

func requireProblem(t *testing.T, got answer, status int, code web.Code, message string) web.Problem {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
	var p web.Problem
	require.NoError(t, json.Unmarshal([]byte(got.body), &p))
	require.Equal(t, code, p.Code)
	require.Equal(t, message, p.Message)
	return p
}

func TestV1_ReadDBIsSilent(t *testing.T) {
	b := open(t)
	require.NoError(t, b.store.Close())
	for path, sentence := range sentences {
		got := b.get(lookup + path)
		p := requireProblem(t, got, http.StatusServiceUnavailable, web.CodeUnavailable, sentence)
		require.Equal(t, "the read DB does not answer", p.Detail)
		require.Equal(t, "1", got.header.Get("Retry-After"))
		require.NotContains(t, got.body, "closed", "the internal error stays inside")
		require.Contains(t, got.body, `"bankAccounts":null`)
	}
}

func TestV1_FailsInside(t *testing.T) {
	var log bytes.Buffer
	b := open(t, func(c *queryapi.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	b.apply(b.opening("0", "Holder", "1.00 EUR"))
	b.spoil("0")
	for path, sentence := range sentences {
		got := b.get(lookup + path)
		requireProblem(t, got, http.StatusInternalServerError, web.CodeInternal, sentence)
		require.NotContains(t, got.body, "row of account")
		require.Contains(t, got.body, `"bankAccounts":null`)
	}
	require.Contains(t, log.String(), "row of account 0 was changed from outside")
}

func TestV1_Refusals(t *testing.T) {
	b := open(t)
	for _, number := range []string{
		"abc", "NaN", "Infinity", "1,5", "1e1000", "0x10", "5d", "1_000", "--1", "%2E", "e5", "1e", "%201", "١",
	} {
		got := b.get(lookup + "/withBalance/LESS_THAN/" + number)
		requireProblem(t, got, http.StatusBadRequest, web.CodeInvalidRequest, "balance: must be a decimal number such as 100 or 99.95")
	}
	long := strings.Repeat("1", 401)
	require.Equal(t, http.StatusBadRequest, b.get(lookup+"/withBalance/LESS_THAN/"+long).status)
	require.Equal(t, http.StatusNoContent, b.get(lookup+"/withBalance/LESS_THAN/"+long[1:]).status)
	for _, comparison := range []string{"EQUAL_TO", "less_than", "LESS", "GREATER_THAN%20"} {
		got := b.get(lookup + "/withBalance/" + comparison + "/1")
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Contains(t, got.body, `"message":"comparison: `)
		require.NotContains(t, got.body, comparison+"/")
	}
	for _, path := range []string{"/byId", "/byId/", "/byHolder/", "/byId/a/b", "/withBalance/LESS_THAN", "/nothing"} {
		got := b.get(lookup + path)
		require.Equal(t, http.StatusNotFound, got.status, path)
		require.Contains(t, got.body, `"message":"there is no such route`)
		require.NotContains(t, got.body, "bankAccounts")
	}
	got := b.get(lookup, http.MethodPost)
	require.Equal(t, http.StatusMethodNotAllowed, got.status)
	require.Equal(t, "GET, HEAD", got.header.Get("Allow"))
}

// openMany has so many accounts of one holder.
func openMany(t *testing.T, accounts int, changes ...func(*queryapi.Config)) *bank {
	t.Helper()
	b := open(t, changes...)
	b.grow(0, accounts)
	return b
}

// A list that fails in the middle is cut, so that no client takes the part for
// the whole; the one that fails before anything was sent is a problem.
func TestV1_ListIsCut(t *testing.T) {
	var log syncBuffer
	b := openMany(t, 1000, func(c *queryapi.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	server := httptest.NewServer(b)
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(quiet().Handler(), slog.LevelError)

	b.spoil("00900")
	answer, err := http.Get(server.URL + lookup)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	got, err := io.ReadAll(answer.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.False(t, json.Valid(got))
	require.Contains(t, b.get("/metrics").body, `passbook_query_answers_cut_total{query="FindAllAccounts"} 1`)
	require.Contains(t, log.String(), "row of account 00900 was changed from outside")
	require.Zero(t, b.store.DB().Stats().InUse)

	b.spoil("00003")
	require.Equal(t, http.StatusInternalServerError, b.get(lookup).status)
}

// syncBuffer is a buffer that a server's goroutines write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// client takes an answer in as tests want it to.
type client struct {
	header http.Header
	status int
	write  func(p []byte) (int, error)
}

func (c *client) Header() http.Header         { return c.header }
func (c *client) WriteHeader(status int)      { c.status = status }
func (c *client) Write(p []byte) (int, error) { return c.write(p) }

// A long list goes out as it is read, in pieces of some kilobytes.
func TestV1_ListIsStreamed(t *testing.T) {
	b := openMany(t, 2000)
	whole := b.get(lookup).body
	var got bytes.Buffer
	pieces, reading := 0, 0
	c := &client{header: http.Header{}}
	c.write = func(p []byte) (int, error) {
		pieces++
		reading += b.store.DB().Stats().InUse
		require.LessOrEqual(t, len(p), 16<<10)
		return got.Write(p)
	}
	b.ServeHTTP(c, httptest.NewRequest(http.MethodGet, lookup, nil))
	require.Equal(t, whole, got.String())
	require.Equal(t, (len(whole)+16<<10-1)/(16<<10), pieces)
	require.Equal(t, pieces, reading, "the transaction is open until the last piece")
	require.Zero(t, b.store.DB().Stats().InUse)
}

// A client that stops reading does not keep a transaction open: it ends when the
// time for the answer does.
func TestV1_ClientStalls(t *testing.T) {
	b := openMany(t, 1000, func(c *queryapi.Config) { c.AnswerTimeout = 2 * time.Second })
	c := &client{header: http.Header{}}
	c.write = func([]byte) (int, error) {
		require.Eventually(t, func() bool { return b.store.DB().Stats().InUse == 0 }, time.Minute, time.Millisecond)
		return 0, errors.New("connection is closed")
	}
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		b.ServeHTTP(c, httptest.NewRequest(http.MethodGet, lookup, nil))
	})
}

// Long lists take turns; one that gets none in its time is told to come again,
// while short questions are answered.
func TestV1_TooManyLongLists(t *testing.T) {
	b := openMany(t, 300)
	const holding = 2
	began, end, ended := make(chan struct{}, holding), make(chan struct{}), make(chan struct{}, holding)
	for range holding {
		go func() {
			defer func() { ended <- struct{}{} }()
			var once sync.Once
			b.ServeHTTP(&client{header: http.Header{}, write: func(p []byte) (int, error) {
				once.Do(func() { began <- struct{}{} })
				<-end
				return len(p), nil
			}}, httptest.NewRequest(http.MethodGet, lookup, nil))
		}()
	}
	for range holding {
		<-began
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, lookup, nil))
	got := answer{w.Code, w.Header(), w.Body.String()}
	p := requireProblem(t, got, http.StatusServiceUnavailable, web.CodeUnavailable, sentences[""])
	require.Equal(t, "too many long lists are being read", p.Detail)
	require.Equal(t, http.StatusOK, b.get(lookup+"/byId/00000").status)
	require.Contains(t, b.get("/metrics").body, `passbook_queries_total{outcome="busy",query="FindAllAccounts"} 1`)
	close(end)
	for range holding {
		<-ended
	}
	require.Equal(t, http.StatusOK, b.get(lookup).status)
}

// The end of a request's context is no unknown outcome: nothing happened.
func TestV1_ClientIsGone(t *testing.T) {
	b := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for path := range sentences {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, lookup+path, nil))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
	}
	require.Contains(t, b.get("/metrics").body, `passbook_queries_total{outcome="canceled",query="FindAllAccounts"} 2`)
}
