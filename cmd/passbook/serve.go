package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"passbook/bank/access"
	"passbook/bank/web"
	"passbook/engine/kafka"
	"passbook/es/run"
)

type serveCommand struct {
	serveFlags `embed:""`
}

// Run runs the services until ctx ends. Whatever is wrong with the settings, or
// stands in the way at start, is found before anything is served.
func (c *serveCommand) Run(ctx context.Context, out output) (err error) {
	settings, err := c.check()
	if err != nil {
		return err
	}
	log, err := newLogger(out.stderr, c.Log)
	if err != nil {
		return err
	}
	p, err := assemble(ctx, settings, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	log.Info("passbook is up", "version", programVersion(), "roles", settings.roles.String(), "data", settings.data, "addresses", p.addresses)
	if err := run.All(ctx, p.parts...); err != nil {
		return err //nolint:wrapcheck // it names the part
	}
	log.Info("passbook has stopped")
	return nil
}

// How long a stopping process takes at most: its servers finish what they
// accepted, at the same time, then the store what it accepted. Together they
// stay below 10 s.
const (
	serversDrain = 5 * time.Second
	storeDrain   = 2 * time.Second
)

// process is what one passbook process consists of. Its parts are in the order
// in which they depend on each other, so that what stands on another part stops
// before it.
type process struct {
	settings  *settings
	log       *slog.Logger
	metrics   *prometheus.Registry
	probes    probes
	folder    *folder
	gate      *access.Gate
	restores  *restores // nil: there is no broker to reach
	head      int64     // of the event store at the start, 0 without one
	parts     []run.Part
	closers   []io.Closer
	servers   []*web.Server
	addresses map[string]string
}

// assemble opens the engines and puts together the roles of a process, without
// running anything yet. After an error nothing stays open.
func assemble(ctx context.Context, s *settings, log *slog.Logger) (_ *process, err error) {
	p := &process{settings: s, log: log, metrics: prometheus.NewRegistry(), addresses: make(map[string]string)}
	p.probes = newProbes(p.metrics)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.abort())
		}
	}()
	p.metrics.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{Namespace: "passbook"}))
	if p.folder, err = openFolder(s.data); err != nil {
		return nil, err
	}
	steps := []struct {
		needed bool
		add    func(context.Context) error
	}{
		{true, p.addAccess},
		{s.roles[roleBroker], p.addBroker},
		{s.reachesBroker(), p.addRestores},
		{s.roles[roleCommand] || s.roles[roleRelay], p.addStore},
		{s.roles[roleQuery], p.addQuery},
		{s.roles[roleNotify], p.addNotify},
		{s.ops != "" || s.roles.only(roleRelay, roleBroker), p.addOps},
	}
	for _, step := range steps {
		if !step.needed {
			continue
		}
		if err := step.add(ctx); err != nil {
			return nil, err
		}
	}
	p.parts = append(p.parts, run.Part{Name: "garbage", Run: tuneGarbage}, run.Part{Name: "http", Run: p.serveAll})
	return p, nil
}

// listen takes an address for a handler. The setting is named in the error.
func (p *process) listen(ctx context.Context, name, setting string, server *web.Server) error {
	if err := server.Listen(ctx); err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	p.servers = append(p.servers, server)
	p.addresses[name] = "http://" + server.Addr()
	return nil
}

// serveAll runs the servers, and stops them all at the same time.
func (p *process) serveAll(ctx context.Context) error {
	results := make(chan error, len(p.servers))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, server := range p.servers {
		go func() {
			defer cancel() // one that cannot go on ends the others
			results <- server.Run(ctx)
		}()
	}
	var errs []error
	for range p.servers {
		errs = append(errs, <-results)
	}
	<-ctx.Done()
	return errors.Join(errs...)
}

// bus returns a client of the broker, one for each part that uses it.
func (p *process) bus(a *assembly, instance string) (*kafka.Bus, error) {
	bus, err := kafka.New(p.kafka(instance))
	if err != nil {
		return nil, refuse("PASSBOOK_BROKER", "broker", err)
	}
	a.closers = append(a.closers, closerFunc(func() error { bus.Close(); return nil }))
	return bus, nil
}

// kafka are the settings of a client of the broker; instance is empty for one
// that is in no group.
func (p *process) kafka(instance string) kafka.Config {
	config := p.settings.broker.config(p.settings.topic, p.log)
	config.Partitions, config.Replicas = p.settings.partitions, p.settings.replicas
	config.GroupProtocol = p.settings.protocol
	if p.settings.static {
		config.InstanceID = instance
	}
	return config
}

// close gives back what was opened, in reverse, after everything has stopped.
func (p *process) close() error {
	var errs []error
	for _, opened := range slices.Backward(p.closers) {
		errs = append(errs, opened.Close())
	}
	if p.folder != nil {
		errs = append(errs, p.folder.close())
	}
	return errors.Join(errs...)
}

// abort ends a process that was never run.
func (p *process) abort() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	err := run.All(ended, append(p.parts, run.Part{Name: "http", Run: p.serveAll})...) // what took an address gives it back when it is run
	return errors.Join(err, p.close())
}

type closerFunc func() error

// Close implements io.Closer.
func (f closerFunc) Close() error { return f() }
