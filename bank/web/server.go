package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Limits of a connection. A query may wait 30 s for the read model to catch up,
// so an answer has longer than that.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 15 * time.Second
	answerTimeout  = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	headerBytesMax = 32 << 10

	// drainTimeout leaves two of the ten seconds in which a process has to end.
	drainTimeout = 8 * time.Second
	// cutTimeout is what handlers get to notice that their context has ended.
	cutTimeout = time.Second
)

// ServerConfig holds what has a default.
type ServerConfig struct {
	// Drain is how long a stopping server waits for requests that it accepted:
	// 8 s if zero.
	Drain time.Duration
	Log   *slog.Logger // slog.Default() if nil
}

// Server serves one handler on one address. Its methods are not safe for
// concurrent use, but for Addr after Listen.
type Server struct {
	addr     string
	drain    time.Duration
	log      *slog.Logger
	handler  http.Handler
	listener net.Listener
	draining chan struct{} // closed when the server begins to stop

	mu      sync.Mutex
	cut     bool           // no handler starts any more
	running sync.WaitGroup // handlers; added to under mu while cut is false
}

// NewServer makes a server that does nothing yet. Port 0 lets the system choose.
func NewServer(addr string, handler http.Handler, config *ServerConfig) *Server {
	s := &Server{addr: addr, handler: handler, drain: drainTimeout, log: slog.Default(), draining: make(chan struct{})}
	if config != nil && config.Drain > 0 {
		s.drain = config.Drain
	}
	if config != nil && config.Log != nil {
		s.log = config.Log
	}
	return s
}

// ListenError says in one line why an address cannot be listened on. The caller
// puts the name of the setting in front.
type ListenError struct {
	Addr string
	Err  error
}

// Error implements error.
func (e *ListenError) Error() string {
	if errors.Is(e.Err, syscall.EADDRINUSE) {
		return e.Addr + " is in use by another program: stop that one or choose another port"
	}
	reason := e.Err
	if op, ok := errors.AsType[*net.OpError](e.Err); ok {
		reason = op.Err
	}
	return fmt.Sprintf("cannot listen on %q: %v", e.Addr, reason)
}

// Unwrap gives access to the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// Listen takes the address, so that an address that cannot be had shows at
// start, before anything else runs. Connections wait until [Server.Run]. The
// error is a *ListenError.
func (s *Server) Listen(ctx context.Context) error {
	if s.listener != nil {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return &ListenError{Addr: s.addr, Err: err}
	}
	s.listener = listener
	return nil
}

// Addr returns the address that Listen took, with the real port, and before
// Listen the one that was asked for.
func (s *Server) Addr() string {
	if s.listener == nil {
		return s.addr
	}
	return s.listener.Addr().String()
}

// Run serves until ctx ends, then stops accepting, finishes the requests that it
// accepted and returns nil. It listens first if [Server.Listen] was not called.
//
// A request's context does not end with ctx: what was accepted is finished. It
// ends when the time for that is over; then connections are cut, which is
// logged. [Draining] tells handlers that wait for something that they should
// give up earlier. Run can be called once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(ctx); err != nil {
		return err
	}
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	server := s.server(context.WithValue(requests, drainingKey{}, s.draining))
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()

	select {
	case err := <-served:
		s.cutRequests(server, endRequests)
		return fmt.Errorf("serve %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	close(s.draining)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		s.log.WarnContext(ctx, "requests were cut off: they took too long to finish",
			"address", s.Addr(), "waited", s.drain, "error", err)
		s.cutRequests(server, endRequests)
	}
	<-served //nolint:errcheck // it was told to stop, and says so
	return nil
}

func (s *Server) server(requests context.Context) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !s.enter() {
				panic(http.ErrAbortHandler) // closes the connection without an answer
			}
			defer s.running.Done()
			s.handler.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// enter counts a handler that starts, unless the connections are being cut.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut {
		return false
	}
	s.running.Add(1)
	return true
}

// cutRequests closes the connections before it ends the requests' contexts: a
// handler that only returns when its context ends would have net/http answer an
// empty 200 for it, which a client takes for done.
func (s *Server) cutRequests(server *http.Server, endRequests context.CancelFunc) {
	_ = server.Close() // what it could not close is gone with the process
	endRequests()
	s.awaitHandlers()
}

// awaitHandlers waits for handlers whose connection was cut, though not for one
// that heeds no context.
func (s *Server) awaitHandlers() {
	s.mu.Lock()
	s.cut = true
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(cutTimeout):
		s.log.Warn("a request goes on after its connection was cut", "address", s.Addr())
	}
}

type drainingKey struct{}

// Draining returns a channel that is closed when the server of the request whose
// context this is begins to stop. A handler that waits for a state answers then,
// instead of holding up the stop. Outside a [Server] the channel never closes.
func Draining(ctx context.Context) <-chan struct{} {
	draining, _ := ctx.Value(drainingKey{}).(chan struct{})
	return draining
}
