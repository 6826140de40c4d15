package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"passbook/es/checkpoint"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

// addStore adds what stands on the event store: the relay and the command API.
func (p *process) addStore(ctx context.Context) error {
	var d *door
	if p.settings.roles[roleCommand] {
		d = p.newDoor(p.probes.command)
		err := p.listen(ctx, "command", "PASSBOOK_COMMAND_ADDR (--command-addr)", p.server(p.settings.command, d))
		if err != nil {
			return err
		}
	}
	var head int64 // one that is found later is nobody's business
	err := p.addService(ctx, &service{
		engine: "event-store", variable: "PASSBOOK_EVENT_STORE", flag: "event-store",
		at: p.settings.events, probes: p.probes.command,
		open: func(ctx context.Context, a *assembly) (err error) {
			head, err = p.openStore(ctx, a)
			return err
		},
	}, d)
	p.head = head
	return err
}

// openStore opens the event store and puts together what stands on it.
func (p *process) openStore(ctx context.Context, a *assembly) (head int64, err error) {
	engine, err := openEventStore(ctx, p.settings.events)
	if err != nil {
		return 0, err
	}
	a.closers, a.ping = append(a.closers, engine), engine.Ping
	if logging, can := engine.(interface{ LogTo(log *slog.Logger) }); can {
		logging.LogTo(p.log)
	}
	checkpoints, err := checkpointsIn(ctx, engine)
	if err != nil {
		return 0, err
	}
	store, err := eventstore.New(ctx, engine, eventstore.Config{DrainTimeout: storeDrain, Logger: p.log})
	if err != nil {
		return 0, err //nolint:wrapcheck // the setting is named
	}
	if head, err = store.Head(ctx); err != nil {
		return 0, err //nolint:wrapcheck // the setting is named
	}
	a.add("event store", store.Run)
	a.figures = append(a.figures, storeFigures(store))
	a.ready = append(a.ready, readiness{"clock", func(context.Context) error { return store.Ready() }})
	if p.settings.roles[roleRelay] {
		if err := p.addRelay(a, store, checkpoints); err != nil {
			return 0, err
		}
	}
	if p.settings.roles[roleCommand] {
		return head, p.addCommand(a, store)
	}
	return head, nil
}

// addRelay adds the way from the event store to the broker.
func (p *process) addRelay(a *assembly, store *eventstore.Store, checkpoints checkpoint.Store) error {
	feed, err := p.bus(a, "")
	if err != nil {
		return err
	}
	instance, err := p.folder.instance()
	if err != nil {
		return err
	}
	r := relay.New(store, feed, checkpoints, relay.Config{Holder: instance, Logger: p.log})
	a.add("relay", r.Run)
	a.figures = append(a.figures, relayFigures(r))
	a.ready = append(a.ready, readiness{"relay", (&relayWatch{relay: r}).check})
	if p.settings.legacy {
		if err := p.addLegacy(a, store, checkpoints, instance); err != nil {
			return err
		}
	}
	p.addPublisher(a, store, checkpoints, instance)
	return nil
}

// relayStalled is for how long events may wait without one being published
// before the relay counts as not ready: a broker that cannot be reached is tried
// again for ever, and looks like patience from inside.
const relayStalled = 5 * time.Second

// relayWatch is the readiness of a relay.
type relayWatch struct {
	relay *relay.Relay

	mu       sync.Mutex
	position int64
	since    time.Time // when position was first seen with events waiting behind it
}

func (w *relayWatch) check(ctx context.Context) error {
	status := w.relay.Status()
	if err := relayReady(status); err != nil || status.State == relay.StateWaiting {
		return err
	}
	lag, err := w.relay.Lag(ctx)
	if err != nil {
		return err //nolint:wrapcheck // the check's name stands before it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if lag <= 0 || status.Position != w.position || w.since.IsZero() {
		w.position, w.since = status.Position, time.Now()
		return nil
	}
	if waited := time.Since(w.since); waited > relayStalled {
		return fmt.Errorf("%d events wait, and none was published for %s: is the broker there?", lag, waited.Round(time.Second))
	}
	return nil
}

// relayReady tells why the relay does not publish. One that waits for another's
// lease has nothing to do, and is ready for it.
func relayReady(status relay.Status) error {
	switch status.State {
	case relay.StateRunning, relay.StateWaiting:
		return nil
	case relay.StateRetrying, relay.StateStopped:
		return fmt.Errorf("%s: %w", status.State, status.Err)
	case relay.StateOff, relay.StateResuming:
	}
	return errors.New(string(status.State))
}
