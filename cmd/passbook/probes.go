package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/web"
)

// probes are the readiness checks of a process. What an API needs is asked at
// the API's own address; what runs beside it without an address of its own, the
// relay, is asked at that of the commands. An address for the operators has all
// of them.
type probes struct {
	command, query, notify, all *web.Probes
}

func newProbes(metrics *prometheus.Registry) probes {
	return probes{command: web.NewProbes(metrics), query: web.NewProbes(metrics),
		notify: web.NewProbes(metrics), all: web.NewProbes(metrics)}
}

func (p probes) add(api *web.Probes, name string, check func(context.Context) error) {
	api.Add(name, check)
	p.all.Add(name, check)
}

// ofAPI returns the probes that an API serves: none where the operators have an
// address of their own.
func (p *process) ofAPI(api *web.Probes) *web.Probes {
	if p.settings.ops != "" {
		return nil
	}
	return api
}

// addOps serves the probes at the operators' address.
func (p *process) addOps(ctx context.Context) error {
	addr := p.settings.ops
	if addr == "" {
		addr = defaultOpsAddr
	}
	server := web.NewServer(addr, p.probes.all.Handler(p.log), &web.ServerConfig{Drain: serversDrain, Log: p.log})
	return p.listen(ctx, "ops", "PASSBOOK_OPS_ADDR (--ops-addr)", server)
}
