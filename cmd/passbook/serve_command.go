package main

import (
	"context"
	"fmt"
	"net/http"

	"passbook/bank/commandapi"
	"passbook/bank/web"
	"passbook/es/aggregate"
	"passbook/es/eventstore"
)

// addCommand adds the command API to an event store.
func (p *process) addCommand(ctx context.Context, store *eventstore.Store) error {
	api, err := commandapi.New(commandapi.Config{
		Repository: aggregate.NewRepository(store, commandapi.Definition(), aggregate.Config{Logger: p.log}),
		Currency:   p.settings.currency,
		Version:    programVersion(),
		Probes:     p.ofAPI(p.probes.command),
		Metrics:    p.metrics,
		Logger:     p.log,
	})
	if err != nil {
		return fmt.Errorf("command API: %w", err)
	}
	return p.listen(ctx, "command", "PASSBOOK_COMMAND_ADDR (--command-addr)", p.server(p.settings.command, api))
}

// server returns a server for an API. On loopback, without API keys, it keeps
// out pages of other sites that let their own name point here.
func (p *process) server(addr string, api http.Handler) *web.Server {
	if loopback(addr) {
		api = web.LocalHost(api)
	}
	return web.NewServer(addr, api, &web.ServerConfig{Drain: serversDrain, Log: p.log})
}
