package broker

import (
	"log/slog"
	"net"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// shortOfFiles is a listener whose first accepts fail as they do in a process that has no file descriptor left.
type shortOfFiles struct {
	net.Listener
	failures int
}

func (l *shortOfFiles) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept()
}

func TestListener_AcceptRetry(t *testing.T) {
	t.Parallel()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := newListener(&shortOfFiles{raw, 3}, slog.New(slog.DiscardHandler))
	client, err := net.Dial("tcp", raw.Addr().String())
	require.NoError(t, err)
	defer client.Close()

	accepted, err := ln.Accept()
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	require.NoError(t, ln.Close())
	_, err = ln.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, accepted.Close())
	ln.wait()
}

func TestListener_Wait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln := newListener(nil, slog.New(slog.DiscardHandler))
		near, far := net.Pipe()
		defer far.Close()
		admitted, err := ln.admit(near)
		require.NoError(t, err)
		waited := false
		go func() {
			ln.wait()
			waited = true
		}()
		synctest.Wait()
		require.False(t, waited, "a connection is still open")
		require.NoError(t, admitted.Close())
		synctest.Wait()
		require.True(t, waited)
	})
}
