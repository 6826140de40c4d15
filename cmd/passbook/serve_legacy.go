package main

import (
	"context"
	"errors"
	"fmt"

	"passbook/bank/legacy"
	"passbook/engine/kafka"
	"passbook/es/checkpoint"
	"passbook/es/eventstore"
)

// addLegacy adds the bridge to the topics of the Java system.
func (p *process) addLegacy(a *assembly, store *eventstore.Store, checkpoints checkpoint.Store, holder string) error {
	topics, err := kafka.NewForeign(p.kafka(""), legacy.Topics()...)
	if err != nil {
		return refuse("PASSBOOK_BROKER", "broker", err)
	}
	a.closers = append(a.closers, closerFunc(func() error { topics.Close(); return nil }))
	bridge, err := legacy.New(store, legacyCluster{topics}, checkpoints, legacy.Config{Holder: holder, Logger: p.log})
	if err != nil {
		return fmt.Errorf("topics of the Java system: %w", err)
	}
	a.add("topics of the Java system", bridge.Run)
	a.figures = append(a.figures, legacyFigures(bridge))
	a.ready = append(a.ready, readiness{"legacy-topics", func(context.Context) error {
		status := bridge.Status()
		if errors.Is(status.Err, legacy.ErrOtherHistory) {
			return fmt.Errorf("%w: delete the four topics and empty its read database", status.Err)
		}
		return status.Err
	}})
	return nil
}

// legacyCluster is Kafka as the bridge sees it.
type legacyCluster struct{ *kafka.Foreign }

// Producer implements legacy.Cluster.
func (c legacyCluster) Producer() (legacy.Producer, error) { return c.Foreign.Producer() }
