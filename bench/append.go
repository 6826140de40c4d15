package bench

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"passbook/bench/load"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// accountsPerCaller is how many accounts a caller writes to, and movesPerAccount
// how often before it opens another: nobody else writes to them.
const (
	accountsPerCaller = 20
	movesPerAccount   = 50
)

// appendBench is the bench of the event store: callers who append an event each
// and wait until it is durable.
type appendBench struct{}

func (a appendBench) run(ctx context.Context, b *bench) (Result, error) {
	if err := a.check(b.config); err != nil {
		return Result{}, err
	}
	setting := b.newEventStore()
	store, err := openAppending(ctx, setting, b.config.Callers)
	if err != nil {
		return Result{}, err
	}
	defer store.close()
	b.plan(2*b.config.Duration + a.besides(b))
	group, err := store.groupSize(ctx, b.config.Duration)
	if err != nil {
		return Result{}, err
	}
	bare, err := b.bareAppends(ctx, group)
	if err != nil {
		return Result{}, err
	}
	defer bare.close()
	y, f, err := b.compare(ctx, bare.run, store.run)
	if err != nil {
		return Result{}, err
	}
	result := rate("append", "events/s", f).against(y.PerSecond(), bare.is(group))
	result.Conditions = fmt.Sprintf("%d callers, an event each, %.0f events in a group", b.config.Callers, store.mean())
	store.close()
	result.Beside, err = a.processes(ctx, b)
	return result, err
}

// check refuses what the engine cannot do.
func (appendBench) check(c Config) error {
	for _, n := range c.Processes {
		switch {
		case n < 1 || n > 64:
			return fmt.Errorf("--processes: %d is out of range: want 1 to 64", n)
		case engineName(c.EventStore) != "MongoDB":
			return fmt.Errorf("--processes: one process alone may write to %s: leave it out", engineName(c.EventStore))
		}
	}
	return nil
}

// appending is an open event store with callers.
type appending struct {
	engine  storeEngine
	store   *eventstore.Store
	callers []*traffic
	stop    func() error
}

// openAppending opens the event store of a setting for so many callers.
func openAppending(ctx context.Context, setting string, callers int) (*appending, error) {
	engine, _, err := openEventStore(ctx, setting)
	if err != nil {
		return nil, err
	}
	store, err := eventstore.New(ctx, engine, eventstore.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		_ = engine.Close() // why it cannot be used is told
		return nil, err
	}
	a := &appending{engine: engine, store: store}
	for range callers {
		a.callers = append(a.callers, newTraffic(accountsPerCaller, movesPerAccount))
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx)) // what was submitted is finished
	ended := make(chan error, 1)
	go func() { ended <- store.Run(running) }()
	a.stop = func() error {
		end()
		return <-ended
	}
	return a, nil
}

// close stops the store. It may be called again.
func (a *appending) close() {
	if a.stop == nil {
		return
	}
	_, _ = a.stop(), a.engine.Close() // the figure was taken before
	a.stop = nil
}

// run appends for a while.
func (a *appending) run(ctx context.Context, d time.Duration) (load.Outcome, error) {
	return load.Drive(ctx, load.Plan{Workers: len(a.callers), Duration: d}, a.append)
}

func (a *appending) append(ctx context.Context, caller int) error {
	e := a.callers[caller].next()
	commit := eventstore.Commit{Stream: e.Stream, Expected: e.Version - 1}
	commit.Events = append(commit.Events, e)
	pending, err := a.store.Submit(commit, nil)
	if err != nil {
		return err
	}
	_, err = pending.Wait(ctx)
	return err
}

// mean is how many events the groups had so far.
func (a *appending) mean() float64 {
	stats := a.store.Stats()
	return float64(stats.Commits) / float64(max(1, stats.Groups))
}

// groupSize finds out how many events go together with so many callers: the
// yardstick writes as many at once.
func (a *appending) groupSize(ctx context.Context, d time.Duration) (int, error) {
	const short, long = 100 * time.Millisecond, time.Second
	if _, err := a.run(ctx, min(long, max(short, d/5))); err != nil {
		return 0, err
	}
	return max(1, int(math.Round(a.mean()))), nil
}

// bare is an engine without anything of ours before it.
type bare interface {
	// run writes groups, one after the other, for a while.
	run(ctx context.Context, d time.Duration) (load.Outcome, error)
	is(group int) string
	close()
}

// bareAppends makes a second database, with the tables and indexes that an event
// store has, and returns what writes to it in groups of that many events.
func (b *bench) bareAppends(ctx context.Context, group int) (bare, error) {
	setting := b.newEventStore()
	if engineName(setting) == "SQLite" {
		return newBareSQLite(ctx, setting, group)
	}
	return newBareMongoDB(ctx, setting, group)
}

// writeTemplate makes an event store and writes one event, and returns that: what
// documents and rows are like is for the engine to say.
func writeTemplate(ctx context.Context, setting string) error {
	engine, _, err := openEventStore(ctx, setting)
	if err != nil {
		return err
	}
	h := newHolder()
	h.next()
	e := h.next() // a deposit, as almost all are
	e.Version = 0
	outcomes, err := engine.Append(ctx, 1, []eventstore.Commit{{Stream: e.Stream, Expected: e.Version - 1, Events: []event.Envelope{e}}})
	if err == nil && outcomes[0].State != eventstore.Written {
		err = fmt.Errorf("the first event was not written: %s", outcomes[0].Reason)
	}
	if closed := engine.Close(); err == nil {
		err = closed
	}
	return err
}

// bareGroups writes groups for a while.
func bareGroups(ctx context.Context, group int, d time.Duration, write func(context.Context) error) (load.Outcome, error) {
	outcome, err := load.Drive(ctx, load.Plan{Workers: 1, Duration: d}, func(ctx context.Context, _ int) error { return write(ctx) })
	outcome.Done *= int64(group)
	return outcome, err
}
