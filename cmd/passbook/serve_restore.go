package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"passbook/bank/commandapi"
	"passbook/bank/readmodel"
	"passbook/engine/kafka"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/replay"
)

// restores is what the parts of a restore share in a process: the log on which
// they meet, and the topics that it goes through.
type restores struct {
	log    *replay.Log
	topics *kafka.Bus
}

// addRestores makes the log of restores.
func (p *process) addRestores(context.Context) error {
	topics, err := kafka.New(p.kafka(""))
	if err != nil {
		return refuse("PASSBOOK_BROKER", "broker", err)
	}
	p.closers = append(p.closers, closerFunc(func() error { topics.Close(); return nil }))
	p.restores = &restores{topics: topics, log: replay.NewLog(topics, p.settings.topic, replay.LogConfig{Logger: p.log})}
	return nil
}

// addPublisher adds what publishes the store's events again, beside the relay.
func (p *process) addPublisher(a *assembly, store *eventstore.Store, checkpoints checkpoint.Store, holder string) {
	publisher := replay.NewPublisher(store, p.restores.topics, p.settings.topic, checkpoints, p.restores.log,
		replay.PublisherConfig{Holder: holder, Logger: p.log})
	a.add("restore: publisher", publisher.Run)
}

// addBuilder adds what builds the read model again and swaps it in.
func (p *process) addBuilder(a *assembly, store readDB, holder string) error {
	builder, err := replay.NewBuilder(p.restores.log, p.restores.topics, replay.BuilderConfig[*sql.Tx]{
		Consumer: consumer,
		Lines:    store.projectionEngine,
		Tables:   readmodel.TableNames(),
		Create: func(ctx context.Context, tx *sql.Tx, next map[string]string) error {
			tables, err := readmodel.NextTables(next)
			if err != nil {
				return err //nolint:wrapcheck // it says what is wrong
			}
			return readmodel.CreateTables(ctx, tx, store.dialect, tables) //nolint:wrapcheck // it names the tables
		},
		Model: func(next map[string]string) (projection.Model[*sql.Tx], error) {
			tables, err := readmodel.NextTables(next)
			if err != nil {
				return nil, err //nolint:wrapcheck // it says what is wrong
			}
			return readmodel.NewModel(store.dialect, tables) //nolint:wrapcheck // it says what is wrong
		},
		Audit: func(next map[string]string) (replay.Audit[*sql.Tx], error) {
			tables, err := readmodel.NextTables(next)
			if err != nil {
				return nil, err //nolint:wrapcheck // it says what is wrong
			}
			return readmodel.NewAudit(store.dialect, tables) //nolint:wrapcheck // it says what is wrong
		},
		Compare: func(ctx context.Context, tx *sql.Tx, next map[string]string) (int64, error) {
			tables, err := readmodel.NextTables(next)
			if err != nil {
				return 0, err //nolint:wrapcheck // it says what is wrong
			}
			return readmodel.Differences(ctx, tx, store.dialect, tables) //nolint:wrapcheck // it says what is wrong
		},
		Leases: store.leases,
		Holder: holder,
		Logger: p.log,
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	a.add("restore: builder", builder.Run)
	return nil
}

// restoresAPI is the log of restores as the command API sees it.
type restoresAPI struct{ log *replay.Log }

// Request implements commandapi.Restores.
func (a restoresAPI) Request(ctx context.Context, by event.Actor) (commandapi.Restore, error) {
	return a.answer(a.log.Request(ctx, string(by)))
}

// Find implements commandapi.Restores.
func (a restoresAPI) Find(ctx context.Context, id string) (commandapi.Restore, error) {
	return a.answer(a.log.Find(ctx, id))
}

func (a restoresAPI) answer(r replay.Restore, err error) (commandapi.Restore, error) {
	switch {
	case errors.Is(err, replay.ErrUnknown):
		return commandapi.Restore{}, commandapi.ErrNoRestore
	case errors.Is(err, replay.ErrUnavailable):
		return commandapi.Restore{}, fmt.Errorf("%w: %w", commandapi.ErrRestoresUnavailable, err)
	case errors.Is(err, replay.ErrUncertain):
		return commandapi.Restore{}, fmt.Errorf("%w: %w", commandapi.ErrRestoreUncertain, err)
	case err != nil:
		return commandapi.Restore{}, err
	}
	return commandapi.Restore{
		ID: r.ID, State: commandapi.RestoreState(r.State), Events: r.Events, Total: r.Total, Error: r.Error,
	}, nil
}
