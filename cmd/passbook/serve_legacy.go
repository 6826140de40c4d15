package main

import (
	"context"
	"errors"
	"fmt"

	"passbook/bank/legacy"
	"passbook/engine/kafka"
	"passbook/es/checkpoint"
	"passbook/es/eventstore"
	"passbook/es/run"
)

// addLegacy adds the bridge to the topics of the Java system.
func (p *process) addLegacy(store *eventstore.Store, checkpoints checkpoint.Store, holder string) error {
	topics, err := kafka.NewForeign(kafka.Config{
		Brokers: p.settings.broker.addrs, Partitions: p.settings.partitions, Replicas: p.settings.replicas, Logger: p.log,
	}, legacy.Topics()...)
	if err != nil {
		return refuse("PASSBOOK_BROKER", "broker", err)
	}
	p.closers = append(p.closers, closerFunc(func() error { topics.Close(); return nil }))
	bridge, err := legacy.New(store, legacyCluster{topics}, checkpoints, legacy.Config{Holder: holder, Logger: p.log})
	if err != nil {
		return fmt.Errorf("topics of the Java system: %w", err)
	}
	p.parts = append(p.parts, run.Part{Name: "topics of the Java system", Run: bridge.Run})
	p.metrics.MustRegister(legacyFigures(bridge))
	p.probes.add(p.probes.command, "legacy-topics", func(context.Context) error {
		status := bridge.Status()
		if errors.Is(status.Err, legacy.ErrOtherHistory) {
			return fmt.Errorf("%w: delete the four topics and empty its read database", status.Err)
		}
		return status.Err
	})
	return nil
}

// legacyCluster is Kafka as the bridge sees it.
type legacyCluster struct{ *kafka.Foreign }

// Producer implements legacy.Cluster.
func (c legacyCluster) Producer() (legacy.Producer, error) { return c.Foreign.Producer() }
