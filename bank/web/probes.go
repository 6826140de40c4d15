package web

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout is how long a check may take before it counts as failed.
const checkTimeout = time.Second

// Probes answers the questions of whoever operates a process: is it alive, is it
// ready, what are its figures. One Probes may be served in several places; it is
// safe for concurrent use.
//
//	GET /livez    200 as long as the process answers, whatever its engines do
//	GET /readyz   200, or 503 with {"ready":false,"reasons":{"event-store":"…"}}
//	GET /metrics  Prometheus text
type Probes struct {
	gatherer prometheus.Gatherer
	mu       sync.Mutex
	checks   map[string]*check
}

// NewProbes makes probes without checks: ready from the start. The gatherer is
// what /metrics shows.
func NewProbes(gatherer prometheus.Gatherer) *Probes {
	return &Probes{gatherer: gatherer, checks: map[string]*check{}}
}

// Add registers a readiness check. It gets a context that ends after a second
// and must return when it does; a check that has not returned is reported as
// such and not called again until it has. The text of its error is shown to
// everybody who can reach the probe, so it names no secrets.
//
// Checks may be added while probes are served. A name that is taken gets the
// new check.
func (p *Probes) Add(name string, run func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks[name] = &check{run: run}
}

// Handler serves the probes alone, for an address that is the operators' own.
// Log nil means slog.Default().
func (p *Probes) Handler(log *slog.Logger) http.Handler {
	s, err := newSite(siteConfig{log: log})
	if err != nil {
		// Only metrics and origins can fail, and there are none.
		panic(err)
	}
	p.mount(s)
	return s
}

func (p *Probes) mount(s *site) {
	s.handle("GET /livez", p.live)
	s.handle("GET /readyz", p.ready)
	s.handle("GET /metrics", promhttp.HandlerFor(p.gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelError),
	}).ServeHTTP)
}

func (p *Probes) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Alive bool `json:"alive"`
	}{true})
}

func (p *Probes) ready(w http.ResponseWriter, r *http.Request) {
	state := readiness{Reasons: p.reasons(r.Context())}
	state.Ready = len(state.Reasons) == 0
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, state)
}

type readiness struct {
	Ready   bool              `json:"ready"`
	Reasons map[string]string `json:"reasons,omitempty"`
}

// reasons runs all checks at the same time and returns those that failed.
func (p *Probes) reasons(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	p.mu.Lock()
	runs := make(map[string]*checkRun, len(p.checks))
	for name, c := range p.checks {
		runs[name] = c.start()
	}
	p.mu.Unlock()

	reasons := map[string]string{}
	for name, run := range runs {
		if reason := run.reason(ctx); reason != "" {
			reasons[name] = reason
		}
	}
	return reasons
}

// check is one readiness check. Probes that come at the same time share a run:
// a check that hangs must not gather a goroutine with each probe.
type check struct {
	run func(context.Context) error
	mu  sync.Mutex
	now *checkRun // nil: none is running
}

type checkRun struct {
	done chan struct{}
	err  error // set when done is closed
}

// start begins a run, or joins the one that is under way. The run has a deadline
// of its own, since the probe that began it may be gone before the others.
func (c *check) start() *checkRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		return c.now
	}
	run := &checkRun{done: make(chan struct{})}
	c.now = run
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		defer cancel()
		run.err = c.run(ctx)
		c.mu.Lock()
		c.now = nil
		c.mu.Unlock()
		close(run.done)
	}()
	return run
}

// reason waits for the run. Where the wait for another check has used up the
// time, a run that is done still counts as done.
func (r *checkRun) reason(ctx context.Context) string {
	select {
	case <-r.done:
	case <-ctx.Done():
		select {
		case <-r.done:
		default:
			return "no answer within " + checkTimeout.String()
		}
	}
	if r.err == nil {
		return ""
	}
	return r.err.Error()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // a fixed struct of this package; the site answers 500
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
