package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"passbook/bench/load"
)

// restoreBatch is how many events a restore applies in one transaction.
const restoreBatch = 500

// runRestore is the bench of a restore: from asking for it over HTTP until the
// read model that was built is swapped in, waits and checks included.
func runRestore(ctx context.Context, b *bench) (Result, error) {
	b.plan(2 * b.config.Duration)
	events := history(historyOf(b.config.Duration))
	setting := b.newEventStore()
	engine, _, err := openEventStore(ctx, setting)
	if err != nil {
		return Result{}, err
	}
	if err := errors.Join(fill(ctx, engine, events), engine.Close()); err != nil {
		return Result{}, err
	}
	d, err := b.deploy(ctx, setting, false)
	if err != nil {
		return Result{}, err
	}
	if err := d.awaitPosition(ctx, int64(len(events))); err != nil {
		return Result{}, err
	}
	bare, err := b.bareRows(ctx, d.readDB, events, restoreBatch)
	if err != nil {
		return Result{}, err
	}
	y, err := b.measure(ctx, passes(bare.write), b.config.Duration)
	if err != nil {
		return Result{}, err
	}
	f, err := b.measure(ctx, func(ctx context.Context, _ time.Duration) (load.Outcome, error) { return d.restore(ctx) }, b.config.Duration)
	if err != nil {
		return Result{}, err
	}
	result := rate("restore", "events/s", f).against(y.PerSecond(), bare.is())
	result.Conditions = fmt.Sprintf("%d events of %d accounts", len(events), len(events)/eventsPerAccount)
	return result, nil
}

// restorePoll is how often a restore is asked how far it is.
const restorePoll = 20 * time.Millisecond

// restore asks for a restore and waits until it is done.
func (d deployment) restore(ctx context.Context) (load.Outcome, error) {
	all, err := connect(ctx, d.command, 1)
	if err != nil {
		return load.Outcome{}, err
	}
	defer all.close()
	const path = "/api/v2/read-model/restores"
	began := time.Now()
	answer, err := all.ask(0, request{http.MethodPost, path, []byte("{}")})
	if err != nil {
		return load.Outcome{}, err
	}
	var now struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Error string `json:"error"`
		Total int64  `json:"total"`
	}
	poll := time.NewTicker(restorePoll)
	defer poll.Stop()
	for {
		if err := json.Unmarshal(answer.Body, &now); err != nil {
			return load.Outcome{}, fmt.Errorf("restore: %w", err)
		}
		switch now.State {
		case "done":
			return load.Outcome{Done: now.Total, Elapsed: time.Since(began)}, nil
		case "failed":
			return load.Outcome{}, fmt.Errorf("the restore failed: %s", now.Error)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return load.Outcome{}, context.Cause(ctx)
		}
		if answer, err = all.ask(0, request{http.MethodGet, path + "/" + now.ID, nil}); err != nil {
			return load.Outcome{}, err
		}
	}
}
