package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// ask returns status and body of a GET.
func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

// reasons are those for which a service is not ready.
func reasons(t *testing.T, url string) map[string]string {
	t.Helper()
	_, body := ask(t, url+"/readyz")
	var state struct{ Reasons map[string]string }
	require.NoError(t, json.Unmarshal([]byte(body), &state))
	return state.Reasons
}

// With every engine out of reach a process starts, lives, says why it is not
// ready, answers that nothing happened, and stops when it is told to.
func TestServe_EnginesOutOfReach(t *testing.T) {
	t.Parallel()
	nobody := testenv.FreeAddr(t)
	p := testenv.Start(t, t.TempDir(),
		"--event-store", "mongodb://user:sesame@"+nobody+"/passbook?replicaSet=rs0",
		"--read-db", "mysql://user:sesame@"+nobody+"/read",
		"--notify-db", "mysql://user:sesame@"+nobody+"/notify")
	for url, engine := range map[string]string{p.Command: "event-store", p.Query: "read-db", p.Notify: "notify-db"} {
		status, _ := ask(t, url+"/livez")
		require.Equal(t, http.StatusOK, status)
		status, _ = ask(t, url+"/readyz")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, reasons(t, url)[engine], "it cannot be reached: ")
		require.Contains(t, reasons(t, url)[engine], nobody)
	}
	answer, err := http.Post(p.Command+"/api/v2/accounts", "application/json", strings.NewReader(`{}`))
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Equal(t, "1", answer.Header.Get("Retry-After"))
	require.Contains(t, string(body), `"code":"unavailable"`)
	status, text := ask(t, p.Query+"/api/v1/bankAccountLookup/")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, text, `"message":`)
	require.Contains(t, text, `"bankAccounts":null`)
	p.Stop()
	require.Contains(t, p.Output(), "event-store cannot be reached: it is tried until it is")
	require.NotContains(t, p.Output(), "sesame")
}

// gate is a way to a server that can be shut and opened again.
type gate struct {
	t      *testing.T
	addr   string
	server string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

func newGate(t *testing.T, server string) *gate {
	g := &gate{t: t, addr: testenv.FreeAddr(t), server: server, open: make(map[net.Conn]bool)}
	t.Cleanup(g.shut)
	return g
}

func (g *gate) unlock() {
	listener, err := net.Listen("tcp", g.addr)
	require.NoError(g.t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener = listener
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return // it was shut
			}
			out, err := net.Dial("tcp", g.server)
			if err != nil {
				_ = in.Close()
				continue
			}
			g.mu.Lock()
			g.open[in], g.open[out] = true, true
			g.mu.Unlock()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		}
	}()
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener != nil {
		_ = g.listener.Close()
	}
	for conn := range g.open {
		_ = conn.Close()
	}
	clear(g.open)
}

// A database that comes late is found, one that goes is named, and what does not
// need it goes on meanwhile.
func TestServe_DatabaseComesAndGoes(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(testenv.MySQLDatabase(t))
	require.NoError(t, err)
	g := newGate(t, address.Host)
	address.Host = g.addr
	s := &session{t: t, p: testenv.Start(t, t.TempDir(), "--read-db", address.String())}
	require.NotEmpty(t, reasons(t, s.p.Query)["read-db"])
	s.done("accounts open --holder Ann --balance 50 --id ann")

	ready := func() bool { return len(reasons(t, s.p.Query)) == 0 }
	says := func(line string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(s.p.Output(), line) }, time.Minute, 50*time.Millisecond, line)
	}
	says("read-db cannot be reached")
	g.unlock()
	require.Eventually(t, ready, time.Minute, 50*time.Millisecond)
	says("read-db is reached")
	s.visible("ann", 0)

	g.shut()
	require.Eventually(t, func() bool { return reasons(t, s.p.Query)["read-db"] != "" }, time.Minute, 50*time.Millisecond)
	says("read-db is lost")
	s.done("accounts deposit ann 5")
	g.unlock()
	require.Eventually(t, ready, time.Minute, 50*time.Millisecond)
	says("read-db is back")
	s.visible("ann", 1)
}
