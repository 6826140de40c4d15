package main

import (
	"context"
	"fmt"

	"passbook/bank/notify"
)

// addNotify adds the notification service.
func (p *process) addNotify(ctx context.Context) error {
	d := p.newDoor(p.probes.notify)
	err := p.listen(ctx, "notify", "PASSBOOK_NOTIFY_ADDR (--notify-addr)", p.server(p.settings.notify.addr, d))
	if err != nil {
		return err
	}
	return p.addService(ctx, &service{
		engine: "notify-db", variable: "PASSBOOK_NOTIFY_DB", flag: "notify-db",
		at: p.settings.notify.db, probes: p.probes.notify, open: p.openNotify,
	}, d)
}

// openNotify opens the notification database and puts together what stands on it.
func (p *process) openNotify(ctx context.Context, a *assembly) error {
	channels, err := notify.ParseChannels(p.settings.notify.channels, p.log)
	if err != nil {
		return err //nolint:wrapcheck // it names the settings
	}
	store, err := openNotifyDB(ctx, p.settings.notify.db)
	if err != nil {
		return err
	}
	a.closers, a.ping = append(a.closers, store), store.DB().PingContext
	instance, err := p.folder.instance()
	if err != nil {
		return err
	}
	feed, err := p.bus(a, instance)
	if err != nil {
		return err
	}
	service, err := notify.New(notify.Config{
		Store: store, Dialect: store.dialect, Channels: channels, Feed: feed, Subscriber: feed,
		FromBeginning: p.settings.notify.fromBeginning, Holder: instance, Metrics: p.metrics, Logger: p.log,
	})
	if err != nil {
		return fmt.Errorf("notification service: %w", err)
	}
	a.add("notification service", service.Run)
	projected := service.Projection()
	a.figures = append(a.figures, consumerFigures(projected.Name(), projected.Status))
	a.ready = append(a.ready, readiness{"notifications", service.Ready},
		readiness{"feed", func(context.Context) error { return standing(projected.Status()) }})
	reader, err := notify.NewReader(store, store.dialect)
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
	a.api = api
	return nil
}
