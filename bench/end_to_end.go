package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"passbook/bench/load"
)

// looksPerSecond is about how many commands a second are looked for on the query
// side: enough for a percentile of some seconds, and little beside the commands.
const looksPerSecond = 100

// runEndToEnd is the bench of the whole way: commands at a steady rate, and for
// some of them the time from their acknowledgement until a query shows them.
//
// The rate is half of what the whole system can go on with: the commands that are
// answered flat out, divided by the time until the last of them is visible and
// its notification sent, and not only acknowledged. Nothing is left to be done
// when the steady commands begin.
func runEndToEnd(ctx context.Context, b *bench) (Result, error) {
	if b.config.Rate < 0 || math.IsNaN(b.config.Rate) || b.config.Rate > 1e6 {
		return Result{}, fmt.Errorf("--rate: %g is out of range: want 0 to 1000000", b.config.Rate)
	}
	b.plan(3 * b.config.Duration)
	echo, err := b.echo(ctx)
	if err != nil {
		return Result{}, err
	}
	defer echo.close()
	d, err := b.deploy(ctx, b.newEventStore(), true)
	if err != nil {
		return Result{}, err
	}
	t := newTeller(b.config.Accounts)
	counter, err := b.atCounter(ctx, d.command, t)
	if err != nil {
		return Result{}, err
	}
	defer counter.close()
	w := &watch{teller: t, deployment: d}
	full, sustained, err := w.saturate(ctx, b, counter)
	if err != nil {
		return Result{}, err
	}
	steady := b.config.Rate
	if steady == 0 {
		steady = math.Ceil(sustained.PerSecond() / 2)
	}
	y, err := b.measure(ctx, func(ctx context.Context, d time.Duration) (load.Outcome, error) {
		plan := load.Plan{Workers: len(echo), Duration: d, Rate: steady}
		return echo.driveAt(ctx, plan, func(int) request { return t.deposit(t.some()) })
	}, b.config.Duration)
	if err != nil {
		return Result{}, err
	}
	commands, err := b.measure(ctx, func(ctx context.Context, d time.Duration) (load.Outcome, error) {
		return w.steady(ctx, counter, steady, d)
	}, b.config.Duration)
	if err != nil {
		return Result{}, err
	}
	visible := w.visible.Summary()
	figure := Figure{Name: "end-to-end", Value: float64(visible.P99.Microseconds()) / 1000, Unit: "ms p99"}.with(w.visible)
	result := figure.against(float64(y.Latency.Summary().P99.Microseconds())/1000, "p99 of an HTTP echo at the same rate")
	result.Conditions = fmt.Sprintf("acknowledged to visible, %d looked at, %s commands/s, %d accounts", visible.Count, number(steady), b.config.Accounts)
	result.Beside = []Figure{
		rate("commands at the rate, sent to acknowledged", "commands/s", commands),
		rate("flat out, until all of it was acknowledged, published, visible and notified", "commands/s", sustained),
		rate("flat out, until acknowledged", "commands/s", full),
	}
	return result, nil
}

// saturate gives commands flat out, and waits until nothing is left of them to be
// done: what was answered, and what was done altogether.
func (w *watch) saturate(ctx context.Context, b *bench, counter connections) (answered, done load.Outcome, err error) {
	if err := w.drain(ctx, int64(len(w.ids))); err != nil {
		return answered, done, err
	}
	began := time.Now()
	if answered, err = b.measure(ctx, w.flatOut(counter), b.config.Duration); err != nil {
		return answered, done, err
	}
	err = w.drain(ctx, w.position.Load())
	return answered, load.Outcome{Done: answered.Done, Elapsed: time.Since(began)}, err
}

// watch gives commands and looks when queries show them.
type watch struct {
	*teller
	deployment

	position atomic.Int64 // greatest that was acknowledged
	visible  *load.Latency
}

// sighting is a command to be looked for.
type sighting struct {
	account int
	version int64
	acked   time.Time
}

// give gives a command and notes where it stands.
func (w *watch) give(all connections, worker, account int) (version int64, err error) {
	answer, err := all.ask(worker, w.teller.deposit(account))
	if err != nil {
		return 0, err
	}
	version, ok := answer.Number("version")
	position, there := answer.Number("position")
	if !ok || !there {
		return 0, fmt.Errorf("an answer without version and position: %s", answer.Body)
	}
	for {
		before := w.position.Load()
		if position <= before || w.position.CompareAndSwap(before, position) {
			return version, nil
		}
	}
}

// flatOut gives as many commands as are answered.
func (w *watch) flatOut(all connections) measurement {
	return func(ctx context.Context, d time.Duration) (load.Outcome, error) {
		return load.Drive(ctx, load.Plan{Workers: len(all), Duration: d}, func(_ context.Context, worker int) error {
			_, err := w.give(all, worker, w.some())
			return err
		})
	}
}

// steady gives commands at a rate. Some are looked for, by others than those who
// give them: how long a look takes must not hold up the next command. A look that
// has to wait for its turn counts from the acknowledgement all the same.
func (w *watch) steady(ctx context.Context, all connections, rate float64, d time.Duration) (load.Outcome, error) {
	w.visible = load.NewLatency()
	looking, err := connect(ctx, w.query, len(all))
	if err != nil {
		return load.Outcome{}, err
	}
	defer looking.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	acked := make(chan sighting, 1<<16)
	var lookers sync.WaitGroup
	for looker := range looking {
		lookers.Go(func() {
			if err := w.look(looking, looker, acked); err != nil {
				cancel(err)
				for range acked { // nobody may have to wait
				}
			}
		})
	}
	every := max(1, int64(math.Ceil(rate/looksPerSecond)))
	var count atomic.Int64
	outcome, err := load.Drive(ctx, load.Plan{Workers: len(all), Duration: d, Rate: rate}, func(_ context.Context, worker int) error {
		account := w.some()
		version, err := w.give(all, worker, account)
		if err == nil && count.Add(1)%every == 0 {
			acked <- sighting{account, version, time.Now()}
		}
		return err
	})
	close(acked)
	lookers.Wait()
	return outcome, errors.Join(err, context.Cause(ctx))
}

// look waits for one command after the other to be visible.
func (w *watch) look(all connections, looker int, acked <-chan sighting) error {
	for s := range acked {
		if _, err := all.ask(looker, w.findAt(s.account, s.version)); err != nil {
			return err
		}
		w.visible.Record(looker, time.Since(s.acked))
	}
	return nil
}
