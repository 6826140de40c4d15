package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/notify"
	"passbook/engine/sqlite"
	"passbook/es/run"
)

// addNotify adds the notification service.
func (p *process) addNotify(ctx context.Context) error {
	channels, err := notify.ParseChannels(p.settings.notify.channels, p.log)
	if err != nil {
		return err //nolint:wrapcheck // it names the settings
	}
	store, err := sqlite.OpenProjectionStore(ctx, p.settings.notify.db, sqlite.Durable)
	if err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	p.closers = append(p.closers, store)
	if err := notify.Migrate(ctx, store.DB(), notify.SQLite); err != nil {
		return refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
	}
	instance, err := p.folder.instance()
	if err != nil {
		return err
	}
	feed, err := p.bus(instance)
	if err != nil {
		return err
	}
	service, err := notify.New(notify.Config{
		Store: store, Dialect: notify.SQLite, Channels: channels, Feed: feed, Subscriber: feed,
		FromBeginning: p.settings.notify.fromBeginning, Holder: instance, Metrics: p.metrics, Logger: p.log,
	})
	if err != nil {
		return fmt.Errorf("notification service: %w", err)
	}
	p.parts = append(p.parts, run.Part{Name: "notification service", Run: service.Run})
	projected := service.Projection()
	prometheus.WrapRegistererWith(prometheus.Labels{"consumer": projected.Name()}, p.metrics).MustRegister(projectionFigures(projected.Status))
	p.probes.add(p.probes.notify, "notifications", service.Ready)
	p.probes.add(p.probes.notify, "feed", func(context.Context) error { return standing(projected.Status()) })
	reader, err := notify.NewReader(store, notify.SQLite)
	if err != nil {
		return fmt.Errorf("notification API: %w", err)
	}
	api, err := notify.NewAPI(notify.APIConfig{
		Notifications: reader, Version: programVersion(), Admit: p.gate.Admit,
		Probes: p.ofAPI(p.probes.notify), Metrics: p.metrics, Logger: p.log,
	})
	if err != nil {
		return fmt.Errorf("notification API: %w", err)
	}
	p.addConsumer(api, projected)
	return p.listen(ctx, "notify", "PASSBOOK_NOTIFY_ADDR (--notify-addr)", p.server(p.settings.notify.addr, api))
}
