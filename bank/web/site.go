package web

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// requestIDHeader ties a failure to its line in the log.
const requestIDHeader = "X-Request-Id"

// everything is the pattern that catches what no route takes.
const everything = "/"

type siteConfig struct {
	adjust  func(path string, p *Problem)
	trusted []string
	metrics prometheus.Registerer
	log     *slog.Logger
}

// site is a router around [http.ServeMux] that answers in problems. Every
// handler of this package runs inside one.
type site struct {
	mux     *http.ServeMux
	adjust  func(path string, p *Problem)
	origins *http.CrossOriginProtection
	metrics *metrics // nil: not counted
	log     *slog.Logger
	missing func() *Problem // what no route takes
}

func newSite(config siteConfig) (*site, error) {
	s := &site{
		mux:     http.NewServeMux(),
		adjust:  config.adjust,
		origins: http.NewCrossOriginProtection(),
		log:     config.log,
		missing: noSuchAddress,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	for _, origin := range config.trusted {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("web: trusted origin: %w", err)
		}
	}
	if config.metrics != nil {
		m, err := newMetrics(config.metrics)
		if err != nil {
			return nil, err
		}
		s.metrics = m
	}
	s.mux.HandleFunc(everything, s.noRoute)
	return s, nil
}

// handle adds a route; pattern is that of [http.ServeMux].
func (s *site) handle(pattern string, h http.HandlerFunc) { s.mux.HandleFunc(pattern, h) }

// ServeHTTP implements [http.Handler].
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	answer := &recorder{ResponseWriter: w}
	setBaseHeader(w.Header())
	r = withoutSlash(r)
	// The one recover of the package: a panic in one request must not end the
	// others, and its client gets an answer where that is still possible.
	defer func() {
		cause := recover()
		if cause != nil {
			s.panicked(answer, r, cause)
		}
		if s.metrics != nil {
			s.metrics.observe(r, answer.code(), time.Since(started))
		}
		if cause != nil && answer.aborted {
			panic(http.ErrAbortHandler) // half an answer is out: net/http cuts the connection on this one
		}
	}()
	if p := s.examine(r); p != nil {
		s.refuse(answer, r, p)
		return
	}
	s.mux.ServeHTTP(answer, r)
}

// examine refuses what must not reach any route.
func (s *site) examine(r *http.Request) *Problem {
	if p := path.Clean(r.URL.EscapedPath()); p != r.URL.EscapedPath() && r.URL.Path != "" {
		// ServeMux would redirect, which costs a client of an API its body.
		return noSuchAddress()
	}
	if !utf8.ValidString(r.URL.Path) {
		return InvalidRequest("the path is not UTF-8")
	}
	if query, err := url.QueryUnescape(r.URL.RawQuery); err != nil || !utf8.ValidString(query) {
		return InvalidRequest("the query is not well-formed UTF-8")
	}
	if s.origins.Check(r) != nil {
		return Forbidden("pages of other sites may not send this request")
	}
	return nil
}

// withoutSlash makes a route answer with a trailing slash as without.
func withoutSlash(r *http.Request) *http.Request {
	if len(r.URL.Path) < 2 || !strings.HasSuffix(r.URL.EscapedPath(), "/") {
		return r
	}
	trimmed, target := *r, *r.URL
	target.Path = strings.TrimSuffix(target.Path, "/")
	target.RawPath = strings.TrimSuffix(target.RawPath, "/")
	trimmed.URL = &target
	return &trimmed
}

// noRoute answers where no route matches: 405 if one would with another method.
func (s *site) noRoute(w http.ResponseWriter, r *http.Request) {
	if allow := s.allowed(r); len(allow) > 0 {
		s.refuse(w, r, MethodNotAllowed(allow...))
		return
	}
	s.refuse(w, r, s.missing())
}

func noSuchAddress() *Problem {
	return NotFound("there is no such route; " + docsPath + " lists those there are")
}

// allowed asks the router itself, so that it cannot differ from it.
func (s *site) allowed(r *http.Request) []string {
	var allow []string
	for _, method := range []string{
		http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut,
	} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != everything {
			allow = append(allow, method)
		}
	}
	return allow
}

func (s *site) refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.completed(r.URL.Path, s.adjust).write(w)
}

// internal logs err and returns the problem that says nothing of it but where to
// look.
func (s *site) internal(r *http.Request, err error, more ...any) *Problem {
	p := Internal()
	p.request = requestID(r)
	p.Detail = "the log has more under request " + p.request
	s.log.ErrorContext(r.Context(), "request failed", append([]any{
		"request", p.request, "method", r.Method, "route", r.Pattern, "error", err,
	}, more...)...)
	return p
}

// panicked answers 500 if nothing was written yet, and has the connection cut
// otherwise, so that half an answer cannot pass for a whole one.
func (s *site) panicked(answer *recorder, r *http.Request, cause any) {
	answer.aborted = answer.written
	if cause == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is panicked as it is
		answer.aborted = true
		return
	}
	p := s.internal(r, fmt.Errorf("panic: %v", cause), "stack", string(debug.Stack()))
	if !answer.written {
		s.refuse(answer, r, p)
	}
}

// requestID takes over the client's id where it is harmless to log.
func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); plainName(id) {
		return id
	}
	return rand.Text()
}

// setBaseHeader sets what every answer carries unless its handler says
// otherwise: balances do not belong in caches.
func setBaseHeader(h http.Header) {
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Cache-Control"] = []string{"no-store"}
}

// recorder remembers what became of an answer.
type recorder struct {
	http.ResponseWriter
	status  int
	written bool // the status line is out
	aborted bool // the connection is to be cut
}

// WriteHeader implements [http.ResponseWriter].
func (a *recorder) WriteHeader(status int) {
	if status >= 200 && !a.written {
		a.status, a.written = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *recorder) Write(b []byte) (int, error) {
	if !a.written {
		a.status, a.written = http.StatusOK, true
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (a *recorder) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// code is the status that the client got: net/http sends 200 where a handler
// wrote nothing.
func (a *recorder) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
