package bench

import (
	"context"
	"maps"
	"strings"
)

// deployment is the services of a bench, each a process of its own as far as the
// engines allow it.
type deployment struct {
	eventStore, readDB string // settings of the databases
	command, query     string // addresses
	notify             string // empty where there is none
}

// deploy starts everything: broker, command API, relay, query API and, with
// notify, the notification service. Where one process alone may have the event
// store, the command API and the relay are that one.
func (b *bench) deploy(ctx context.Context, eventStore string, notify bool) (d deployment, err error) {
	d.eventStore = eventStore
	if d.readDB, err = b.newReadDB(ctx); err != nil {
		return d, err
	}
	brokers, err := b.broker(ctx)
	if err != nil {
		return d, err
	}
	common := settings{"BROKER": "kafka://" + strings.Join(brokers, ","), "TOPIC": b.newTopic()}
	back := []string{"command,relay"}
	if engineName(eventStore) != "SQLite" {
		back = []string{"relay", "command"}
	}
	for _, roles := range back {
		of := common.and("EVENT_STORE", eventStore)
		if roles == "relay" {
			of = of.and("OPS_ADDR", "127.0.0.1:0")
		}
		s, err := b.serve(ctx, roles, of)
		if err != nil {
			return d, err
		}
		d.command = s.addresses["command"]
	}
	s, err := b.serve(ctx, "query", common.and("READ_DB", d.readDB))
	if err != nil {
		return d, err
	}
	d.query = s.addresses["query"]
	if notify {
		notifyDB, err := b.newReadDB(ctx)
		if err != nil {
			return d, err
		}
		if s, err = b.serve(ctx, "notify", common.and("NOTIFY_DB", notifyDB)); err != nil {
			return d, err
		}
		d.notify = s.addresses["notify"]
		if err := awaitReady(ctx, d.notify); err != nil {
			return d, err
		}
	}
	if err := awaitReady(ctx, d.command); err != nil {
		return d, err
	}
	return d, awaitReady(ctx, d.query)
}

// deployAll starts all roles in one process, and returns the command API's
// address.
func (b *bench) deployAll(ctx context.Context) (string, error) {
	broker := "embedded:127.0.0.1:0"
	if len(b.config.Broker.Brokers) > 0 {
		broker = "kafka://" + strings.Join(b.config.Broker.Brokers, ",")
	}
	readDB, err := b.newReadDB(ctx)
	if err != nil {
		return "", err
	}
	s, err := b.serve(ctx, "all", settings{
		"EVENT_STORE": b.newEventStore(), "READ_DB": readDB, "BROKER": broker, "TOPIC": b.newTopic(),
	})
	if err != nil {
		return "", err
	}
	return s.addresses["command"], awaitReady(ctx, s.addresses["command"])
}

// deployCommand starts the command API alone, and returns its address.
func (b *bench) deployCommand(ctx context.Context) (string, error) {
	s, err := b.serve(ctx, "command", settings{"EVENT_STORE": b.newEventStore()})
	if err != nil {
		return "", err
	}
	return s.addresses["command"], awaitReady(ctx, s.addresses["command"])
}

// and returns the settings with one more.
func (s settings) and(name, value string) settings {
	all := maps.Clone(s)
	all[name] = value
	return all
}
