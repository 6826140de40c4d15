package main

import (
	"context"
	"fmt"

	"passbook/engine/broker"
	"passbook/es/run"
)

// addBroker starts the embedded broker. Everything else reaches it over its
// address, as it would any Kafka.
func (p *process) addBroker(context.Context) error {
	b, err := broker.New(broker.Config{Addr: p.settings.broker.addrs[0], Dir: p.folder.file("broker"), Logger: p.log})
	if err != nil {
		return fmt.Errorf("PASSBOOK_BROKER (--broker): %w", err)
	}
	p.settings.broker.addrs[0] = b.Addr() // with the real port, where 0 was asked for
	p.addresses["broker"] = "kafka://" + b.Addr()
	p.parts = append(p.parts, run.Part{Name: "broker", Run: b.Run})
	return nil
}
