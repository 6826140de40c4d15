package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
	"passbook/es/relay"
	"passbook/es/run"
)

// addStore opens the event store and adds what stands on it: the relay and the
// command API.
func (p *process) addStore(ctx context.Context) error {
	engine, err := sqlite.OpenEventStore(ctx, p.settings.events)
	if err != nil {
		return fmt.Errorf("PASSBOOK_EVENT_STORE (--event-store): %w", err)
	}
	p.closers = append(p.closers, engine)
	store, err := eventstore.New(ctx, engine, eventstore.Config{DrainTimeout: storeDrain, Logger: p.log})
	if err != nil {
		return fmt.Errorf("PASSBOOK_EVENT_STORE (--event-store): %w", err)
	}
	if p.head, err = store.Head(ctx); err != nil {
		return fmt.Errorf("PASSBOOK_EVENT_STORE (--event-store): %w", err)
	}
	p.parts = append(p.parts, run.Part{Name: "event store", Run: store.Run})
	p.metrics.MustRegister(storeFigures(store))
	p.probes.add(p.probes.command, "event-store", engine.Ping)
	if p.settings.roles[roleRelay] {
		if err := p.addRelay(ctx, engine, store); err != nil {
			return err
		}
	}
	if p.settings.roles[roleCommand] {
		return p.addCommand(ctx, store)
	}
	return nil
}

// addRelay adds the way from the event store to the broker.
func (p *process) addRelay(ctx context.Context, engine *sqlite.EventStore, store *eventstore.Store) error {
	feed, err := p.bus("")
	if err != nil {
		return err
	}
	checkpoints, err := engine.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("PASSBOOK_EVENT_STORE (--event-store): %w", err)
	}
	instance, err := p.folder.instance()
	if err != nil {
		return err
	}
	r := relay.New(store, feed, checkpoints, relay.Config{Holder: instance, Logger: p.log})
	p.parts = append(p.parts, run.Part{Name: "relay", Run: r.Run})
	p.metrics.MustRegister(relayFigures(r))
	p.probes.add(p.probes.command, "relay", (&relayWatch{relay: r}).check)
	if p.settings.legacy {
		if err := p.addLegacy(store, checkpoints, instance); err != nil {
			return err
		}
	}
	return p.addPublisher(store, checkpoints, instance)
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
