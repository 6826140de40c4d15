package web_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

// start runs a server until the test ends and returns how to stop it and what
// Run returned.
func start(t *testing.T, h http.Handler, config *web.ServerConfig) (*web.Server, context.CancelFunc, <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	server := web.NewServer("127.0.0.1:0", h, config)
	require.NoError(t, server.Listen(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(stop)
	return server, stop, ended
}

type reply struct {
	status int
	body   string
	err    error
}

// get asks in the background.
func get(server *web.Server) <-chan reply {
	replies := make(chan reply, 1)
	go func() {
		answer, err := http.Get("http://" + server.Addr() + "/")
		if err != nil {
			replies <- reply{err: err}
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		replies <- reply{answer.StatusCode, string(body), err}
	}()
	return replies
}

func refusesConnections(addr string) func() bool {
	return func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}
}

func TestServer_FinishesWhatItAccepted(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var told bool
	server, stop, ended := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-web.Draining(r.Context())
		told = r.Context().Err() == nil
		<-release
		_, _ = io.WriteString(w, "done")
	}), nil)
	replies := get(server)
	<-begun
	stop()
	require.Eventually(t, refusesConnections(server.Addr()), time.Minute, time.Millisecond)
	select {
	case err := <-ended:
		t.Fatalf("Run returned with a request in flight: %v", err)
	default:
	}
	close(release)
	require.Equal(t, reply{status: http.StatusOK, body: "done"}, <-replies)
	require.NoError(t, <-ended)
	require.True(t, told, "the request's context ended with the server's")
}

func TestServer_CutsWhatTakesTooLong(t *testing.T) {
	begun, seen := make(chan struct{}), make(chan error, 1)
	var log bytes.Buffer
	server, stop, ended := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		seen <- r.Context().Err()
	}), &web.ServerConfig{Drain: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	replies := get(server)
	<-begun
	stop()
	require.NoError(t, <-ended)
	require.Len(t, seen, 1, "Run returned before the handler")
	require.Contains(t, log.String(), "requests were cut off")
	require.Error(t, (<-replies).err)
}

func TestServer_AddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	server := web.NewServer(taken.Addr().String(), http.NotFoundHandler(), nil)
	for _, err := range []error{server.Listen(t.Context()), server.Run(t.Context())} {
		var listenError *web.ListenError
		require.ErrorAs(t, err, &listenError)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.Equal(t, taken.Addr().String(), listenError.Addr)
		require.EqualError(t, err, taken.Addr().String()+" is in use by another program: stop that one or choose another port")
	}
}

func TestServer_ImpossibleAddress(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999", "192.0.2.1:0"} {
		err := web.NewServer(addr, http.NotFoundHandler(), nil).Listen(t.Context())
		require.ErrorContains(t, err, `cannot listen on "`+addr+`": `)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestServer_StopsBeforeItServes(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	server := web.NewServer("127.0.0.1:0", http.NotFoundHandler(), nil)
	require.NoError(t, server.Listen(ctx))
	stop()
	require.NoError(t, server.Run(ctx))
	require.True(t, refusesConnections(server.Addr())())
}

// Starting and stopping in any order leaves nothing behind and reports nothing.
func TestServer_StartStop(t *testing.T) {
	for range 50 {
		server, stop, ended := start(t, http.NotFoundHandler(), nil)
		replies := get(server)
		stop()
		require.NoError(t, <-ended)
		<-replies // answered or refused: both are right
		require.True(t, refusesConnections(server.Addr())())
	}
}

func TestServer_EndsWhenItsListenerBreaks(t *testing.T) {
	server, _, ended := start(t, http.NotFoundHandler(), nil)
	require.NoError(t, server.BreakListener())
	require.ErrorContains(t, <-ended, "serve 127.0.0.1:")
}

func TestDraining_OutsideAServer(t *testing.T) {
	require.Nil(t, web.Draining(t.Context()))
}

// Who is refused before the body is read is answered at once, whether the body
// comes or not.
func TestServer_RefusesWithoutTheBody(t *testing.T) {
	api, err := web.New(web.Config{
		Title: "t", Version: "1",
		Admit: func(*http.Request, *web.Operation) (context.Context, error) {
			return nil, web.Unauthenticated("no key")
		},
	})
	require.NoError(t, err)
	type in struct{ Body struct{} }
	web.Register(api, web.Operation{ID: "post", Method: http.MethodPost, Path: "/things", Summary: "s"},
		func(context.Context, *in) (*struct{}, error) { return nil, nil })
	server, stop, ended := start(t, api, nil)
	conn, err := net.Dial("tcp", server.Addr())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(4*time.Second))) // the server waits for bodies for longer
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.True(t, response.Close)
	require.NoError(t, response.Body.Close())
	require.NoError(t, conn.Close())
	stop()
	require.NoError(t, <-ended)
}
