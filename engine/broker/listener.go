package broker

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Longest pause before accepting is tried again, for example because the process has no file descriptor left.
const acceptRetryMax = time.Second

// listener hands guarded connections to kfake and knows which are still open. kfake gives up listening at the first
// failed accept, so only a closed listener is reported to it as an error.
type listener struct {
	net.Listener
	log *slog.Logger

	mu     sync.Mutex // orders open.Add before open.Wait
	closed bool
	done   chan struct{}
	open   sync.WaitGroup
}

func newListener(ln net.Listener, log *slog.Logger) *listener {
	return &listener{Listener: ln, log: log, done: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, acceptRetryMax) {
		raw, err := l.Listener.Accept()
		if err == nil {
			return l.admit(raw)
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		l.log.Warn("broker cannot accept a connection, trying again", "error", err)
		select {
		case <-l.done:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
	}
}

func (l *listener) admit(raw net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.Join(net.ErrClosed, raw.Close())
	}
	l.open.Add(1)
	return &conn{Conn: raw, log: l.log, release: sync.OnceFunc(l.open.Done)}, nil
}

// Close stops accepting. kfake calls it more than once.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	return l.Listener.Close()
}

// wait returns when the last connection is closed; call it after Close.
func (l *listener) wait() { l.open.Wait() }
