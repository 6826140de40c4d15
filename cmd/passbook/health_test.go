package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// asked is the outcome of one "passbook health".
type asked struct {
	code           int
	stdout, stderr string
}

func askHealth(args ...string) asked {
	var stdout, stderr bytes.Buffer
	code := execute(append([]string{"health"}, args...), &stdout, &stderr)
	return asked{code, stdout.String(), stderr.String()}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.Query, "http://"))
	require.NoError(t, err)
	for _, addr := range []string{p.Query, p.Command + "/", "0.0.0.0:" + port, "localhost:" + port} {
		require.Equal(t, asked{exitDone, `{"alive":true}` + "\n", ""}, askHealth(addr))
		require.Equal(t, asked{exitDone, `{"ready":true}` + "\n", ""}, askHealth("--ready", addr))
	}
	p.Stop()
	gone := askHealth(p.Query)
	require.Equal(t, exitNo, gone.code)
	require.Contains(t, gone.stderr, "no answer")
}

// A service that is alive and not ready says why, in one line.
func TestHealth_No(t *testing.T) {
	t.Parallel()
	service := http.NewServeMux()
	service.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	service.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "{\"ready\":false,\n\"reasons\":{\"relay\":\"no \x1bbroker\"}}", http.StatusServiceUnavailable)
	})
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	require.Zero(t, askHealth(server.URL).code)
	no := askHealth(server.URL, "--ready")
	require.Equal(t, exitNo, no.code)
	require.Equal(t, `passbook: `+server.URL+`/readyz says no (503 Service Unavailable): {"ready":false, "reasons":{"relay":"no �broker"}}`+"\n", no.stderr)
}

func TestHealth_Silent(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	silent := askHealth("--timeout", "50ms", listener.Addr().String())
	require.Equal(t, exitNo, silent.code)
	require.Contains(t, silent.stderr, "does not answer within 50ms")
}

func TestHealth_Usage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"5000"}, {":5000"}, {"https://127.0.0.1:5000"}, {"127.0.0.1:5000/readyz"}, {"--timeout=0s", "127.0.0.1:5000"}} {
		require.Equal(t, exitUsage, askHealth(args...).code, "%v", args)
	}
}
