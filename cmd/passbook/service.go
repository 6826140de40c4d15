package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/web"
	"passbook/engine/mongodb"
	"passbook/engine/mysql"
	"passbook/es/run"
)

// service is what stands on one engine in a process. An engine in the process is
// there or it is not, and then the process does not start. A server may be out of
// reach for a while: the process starts all the same, the service's address says
// that it is unavailable, its readiness says why, and the engine is tried again
// until it is there.
type service struct {
	engine         string // as probes and the log call it
	variable, flag string // the setting that says where it is
	at             location
	probes         *web.Probes
	// open opens the engine and puts the service together. It may be called
	// again after an error that may pass; what it added to the assembly until
	// then is given back.
	open func(ctx context.Context, a *assembly) error
}

// assembly is what a service consists of.
type assembly struct {
	parts   []run.Part
	closers []io.Closer
	figures []prometheus.Collector
	ready   []readiness
	api     http.Handler                    // nil: it has none
	ping    func(ctx context.Context) error // whether the engine answers
}

type readiness struct {
	name  string
	check func(context.Context) error
}

func (a *assembly) add(name string, work func(context.Context) error) {
	a.parts = append(a.parts, run.Part{Name: name, Run: work})
}

func (a *assembly) close() error {
	var errs []error
	for _, opened := range slices.Backward(a.closers) {
		errs = append(errs, opened.Close())
	}
	return errors.Join(errs...)
}

// How long an engine may take until its service stands: while a process starts,
// which then goes on without, and later.
const (
	firstTry = 5 * time.Second
	laterTry = 30 * time.Second
)

// addService opens a service, or has that done when its engine can be reached.
// Behind the door, which may be nil, is its API.
func (p *process) addService(ctx context.Context, s *service, d *door) error {
	state := &engineState{}
	p.probes.add(s.probes, s.engine, state.check)
	a, err := p.open(ctx, s, firstTry)
	if err == nil {
		p.closers = append(p.closers, closerFunc(a.close))
		p.parts = append(p.parts, a.parts...)
		p.parts = append(p.parts, p.enter(s, a, state, d)...)
		return nil
	}
	if !s.passing(err) {
		return refuse(s.variable, s.flag, err)
	}
	state.lost(err)
	p.parts = append(p.parts, run.Part{Name: s.engine, Run: func(ctx context.Context) error {
		return p.openLater(ctx, s, state, d, err)
	}})
	return nil
}

// passing tells whether an error of opening may pass by itself.
func (s *service) passing(err error) bool {
	return s.at.server() && (mysql.Passing(err) || isMongoDB(s.at) && !errors.Is(err, mongodb.ErrUnusable))
}

func isMongoDB(at location) bool { return strings.HasPrefix(at.url, "mongodb") }

// open opens a service once. After an error nothing of it stays.
func (p *process) open(ctx context.Context, s *service, patience time.Duration) (*assembly, error) {
	if s.at.server() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	a := &assembly{}
	if err := s.open(ctx, a); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// enter makes a service visible. It returns the parts that watch it.
func (p *process) enter(s *service, a *assembly, state *engineState, d *door) []run.Part {
	p.metrics.MustRegister(a.figures...)
	for _, r := range a.ready {
		p.probes.add(s.probes, r.name, r.check)
	}
	if d != nil && a.api != nil {
		d.api.Store(&a.api)
	}
	state.found(a.ping)
	if !s.at.server() {
		return nil
	}
	return []run.Part{{Name: s.engine + ": watch", Run: func(ctx context.Context) error {
		return p.watch(ctx, s, a.ping)
	}}}
}

// Pauses between attempts to reach an engine.
const (
	againFirst = 500 * time.Millisecond
	againMax   = 5 * time.Second
)

// openLater opens a service when its engine can be reached, and runs it.
func (p *process) openLater(ctx context.Context, s *service, state *engineState, d *door, err error) error {
	said := ""
	for pause := againFirst; ; pause = min(2*pause, againMax) {
		if text := oneLine(err); text != said { // another reason is worth another line
			p.log.Warn(s.engine+" cannot be reached: it is tried until it is", "at", s.at.String(), "error", text)
			said = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		var a *assembly
		if a, err = p.open(ctx, s, laterTry); err == nil {
			p.log.Info(s.engine+" is reached", "at", s.at.String())
			watchers := p.enter(s, a, state, d)
			return errors.Join(run.All(ctx, append(a.parts, watchers...)...), a.close())
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to end
		case !s.passing(err):
			return refuse(s.variable, s.flag, err)
		}
		state.lost(err)
	}
}
