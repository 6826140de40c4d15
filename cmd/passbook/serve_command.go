package main

import (
	"fmt"

	"passbook/bank/access"
	"passbook/bank/commandapi"
	"passbook/es/aggregate"
	"passbook/es/eventstore"
)

// addCommand adds the command API to an event store.
func (p *process) addCommand(a *assembly, store *eventstore.Store) error {
	config := commandapi.Config{
		Repository: aggregate.NewRepository(store, commandapi.Definition(), aggregate.Config{Logger: p.log}),
		Currency:   p.settings.currency,
		Version:    programVersion(),
		Admit:      p.gate.Admit,
		Actor:      access.Actor,
		Probes:     p.ofAPI(p.probes.command),
		Metrics:    p.metrics,
		Logger:     p.log,
	}
	if p.restores != nil {
		config.Restores, config.Head = restoresAPI{p.restores.log}, store.Head
	}
	api, err := commandapi.New(config)
	if err != nil {
		return fmt.Errorf("command API: %w", err)
	}
	a.api = api
	return nil
}
