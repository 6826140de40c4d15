package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"passbook/bench/load"
)

// connections are those of a generator of HTTP load, one for each worker.
type connections []*load.Connection

// connect opens so many connections to a service. They end with ctx, and have to
// be closed.
func connect(ctx context.Context, addr string, n int) (connections, error) {
	all := make(connections, 0, n)
	for range n {
		c, err := load.Dial(ctx, addr)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (all connections) close() {
	for _, c := range all {
		_ = c.Close() // nothing is under way
	}
}

// request is what a worker sends next.
type request struct {
	method, path string
	body         []byte
}

// refused is an answer that was not wanted: a figure of errors is none.
func refused(r request, answer load.Answer) error {
	const shown = 300
	return fmt.Errorf("%s %s was answered with %d: %s", r.method, r.path, answer.Status, answer.Body[:min(len(answer.Body), shown)])
}

// ask sends a request and wants success.
func (all connections) ask(worker int, r request) (load.Answer, error) {
	answer, err := all[worker].Do(r.method, r.path, r.body)
	if err == nil && answer.Status/100 != 2 {
		err = refused(r, answer)
	}
	return answer, err
}

// drive sends what next makes up, from all connections, for a while.
func (all connections) drive(next func(worker int) request) measurement {
	return func(ctx context.Context, d time.Duration) (load.Outcome, error) {
		return all.driveAt(ctx, load.Plan{Workers: len(all), Duration: d}, next)
	}
}

func (all connections) driveAt(ctx context.Context, plan load.Plan, next func(worker int) request) (load.Outcome, error) {
	return load.Drive(ctx, plan, func(_ context.Context, worker int) error {
		_, err := all.ask(worker, next(worker))
		return err
	})
}

// each sends n requests, each once.
func (all connections) each(ctx context.Context, n int, request func(i int) request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	for worker := range all {
		workers.Go(func() {
			for i := worker; i < n && ctx.Err() == nil; i += len(all) {
				if _, err := all.ask(worker, request(i)); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

const echoIs = "HTTP echo of the same JSON by the same generator"

// echo starts the server that HTTP is compared with, and connects to it.
func (b *bench) echo(ctx context.Context) (connections, error) {
	s, err := b.start(ctx, nil, "bench", "echo")
	if err != nil {
		return nil, err
	}
	return connect(ctx, s.addresses["echo"], b.config.Connections)
}

// ServeEcho is the process of the server that HTTP is compared with: it tells its
// address as serve does, and ends with ctx.
func ServeEcho(ctx context.Context, log io.Writer) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	server := &http.Server{Handler: load.Echo(), ReadHeaderTimeout: time.Minute}
	slog.New(slog.NewJSONHandler(log, nil)).Info(upMessage, "addresses", map[string]string{"echo": "http://" + listener.Addr().String()})
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve tells that it ended
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}
