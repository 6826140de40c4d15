package load_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"passbook/bench/load"
)

func dial(t *testing.T, ctx context.Context, handler http.Handler) *load.Connection { //nolint:revive // the test comes first
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := load.Dial(ctx, server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConnection(t *testing.T) {
	var connections atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /deposits", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(append([]byte(`{"version":17,"sent":`), append(body, '}')...))
	})
	mux.HandleFunc("GET /chunks", func(w http.ResponseWriter, _ *http.Request) {
		for _, part := range []string{"a", strings.Repeat("b", 20_000), "c"} {
			_, _ = w.Write([]byte(part))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("GET /nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewUnstartedServer(mux)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := load.Dial(t.Context(), server.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	for range 2 { // again on the same connection
		answer, err := c.Do(http.MethodPost, "/deposits", []byte(`{"n":1}`))
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, answer.Status)
		require.JSONEq(t, `{"version":17,"sent":{"n":1}}`, string(answer.Body))
		version, ok := answer.Number("version")
		require.True(t, ok)
		require.Equal(t, int64(17), version)
		_, ok = answer.Number("position")
		require.False(t, ok)
		_, ok = answer.Number("sent")
		require.False(t, ok, "it is no number")

		answer, err = c.Do(http.MethodGet, "/chunks", nil)
		require.NoError(t, err)
		require.Equal(t, "a"+strings.Repeat("b", 20_000)+"c", string(answer.Body))

		answer, err = c.Do(http.MethodGet, "/nothing", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, answer.Status)
		require.Empty(t, answer.Body)

		answer, err = c.Do(http.MethodGet, "/elsewhere", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, answer.Status)
	}
	require.Equal(t, int64(1), connections.Load())
}

// Servers close connections from which nothing comes; a generator at a low rate
// must not take that for a failure.
func TestConnection_Idle(t *testing.T) {
	server := httptest.NewUnstartedServer(load.Echo())
	server.Config.IdleTimeout = time.Millisecond
	closed := make(chan struct{}, 1)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			select {
			case closed <- struct{}{}:
			default:
			}
		}
	}
	server.Start()
	defer server.Close()
	c, err := load.Dial(t.Context(), server.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Do(http.MethodGet, "/", nil)
	require.NoError(t, err)
	<-closed
	load.Age(c)
	answer, err := c.Do(http.MethodGet, "/", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status)
}

func TestConnection_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(t, ctx, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel() // while the client waits for an answer
		<-r.Context().Done()
	}))
	_, err := c.Do(http.MethodGet, "/", nil)
	require.Error(t, err)
}

func TestConnection_NoHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = conn.Write([]byte("SSH-2.0-something\r\n"))
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	c, err := load.Dial(t.Context(), listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Do(http.MethodGet, "/", nil)
	require.ErrorContains(t, err, "no HTTP/1.1 answer")
}

func TestEcho(t *testing.T) {
	c := dial(t, t.Context(), load.Echo())
	const deposit = `{"amount":{"amount":"12.50","currency":"EUR"},"reference":"rent"}`
	answer, err := c.Do(http.MethodPost, "/api/v2/accounts/1/deposits", []byte(deposit))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status)
	require.JSONEq(t, deposit, string(answer.Body))
	answer, err = c.Do(http.MethodPost, "/", []byte("no JSON"))
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, answer.Status)
	answer, err = c.Do(http.MethodGet, "/api/v2/accounts/1", nil)
	require.NoError(t, err)
	require.Contains(t, string(answer.Body), `"accountHolder"`)
}
