package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"passbook/bank/client"
)

type demoCommand struct {
	Accounts int           `default:"25" help:"How many people have an account." placeholder:"N"`
	Rate     float64       `default:"5" help:"Deposits and withdrawals a second." placeholder:"R"`
	Duration time.Duration `help:"How long, such as 10m. Default: until it is interrupted." placeholder:"TIME"`
	Seed     uint64        `default:"1" help:"Another number makes up other people. With the same one a demo goes on with its accounts." placeholder:"N"`

	clientFlags
}

// demoWorkers is how many commands are on their way at the same time at most.
const demoWorkers = 16

// demoPatience is how long is waited after a failure before the same is tried
// again, unless the service asks for longer.
const demoPatience = time.Second

// Run fills a system with people and their money, until it is enough.
func (c *demoCommand) Run(ctx context.Context, out output) error {
	switch {
	case c.Accounts < 1 || c.Accounts > 9999:
		return fmt.Errorf("--accounts: %d is out of range: want 1 to 9999", c.Accounts)
	case !(c.Rate > 0 && c.Rate <= 10000):
		return fmt.Errorf("--rate: %g is out of range: want more than 0, and 10000 at most", c.Rate)
	case c.Duration < 0:
		return fmt.Errorf("--duration: %s is negative", c.Duration)
	}
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		traffic, err := newDemoTraffic(c.Seed, c.Accounts)
		if err != nil {
			return err
		}
		d := &demo{command: c, bank: bank, traffic: traffic, line: newLiveLine(out.stderr), began: time.Now()}
		err = d.run(ctx)
		d.line.close()
		return errors.Join(err, d.summary(out))
	})
}

// demo is one run of it.
type demo struct {
	command *demoCommand
	bank    *client.Client
	traffic *demoTraffic
	line    *liveLine
	began   time.Time

	opened, moved, refused atomic.Int64
}

func (d *demo) run(ctx context.Context) error {
	// The first one alone: what is wrong with the settings is told at once, and
	// is not tried for ever.
	if err := d.open(ctx, d.traffic.people[0]); err != nil {
		return err
	}
	if err := d.work(ctx, d.openAll); err != nil {
		return err
	}
	return d.work(ctx, d.live)
}

// giver hands a task to the worker that a number stands for, and waits until it
// takes it. It fails once the work is over.
type giver func(number int, task func(context.Context) error) error

func (d *demo) openAll(_ context.Context, give giver) error {
	for i, person := range d.traffic.people[1:] {
		open := func(ctx context.Context) error {
			return d.insist(ctx, func() error { return d.open(ctx, person) })
		}
		if err := give(i, open); err != nil {
			return err
		}
	}
	return nil
}

// live gives out steps at the rate that was asked for; if the service cannot keep
// up with it, at the rate that it can.
func (d *demo) live(ctx context.Context, give giver) error {
	pace := time.NewTicker(max(time.Duration(float64(time.Second)/d.command.Rate), time.Microsecond))
	defer pace.Stop()
	var enough <-chan time.Time // never, where no duration is named
	if d.command.Duration > 0 {
		timer := time.NewTimer(d.command.Duration - time.Since(d.began))
		defer timer.Stop()
		enough = timer.C
	}
	for {
		step, err := d.traffic.next()
		if err != nil {
			return err
		}
		if err := give(step.who, func(ctx context.Context) error { return d.move(ctx, step) }); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-enough:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// work runs what plan gives out on a few workers; the same worker does what has
// the same number, one after the other. It ends with the first error, or when
// plan has ended and all is done.
func (d *demo) work(ctx context.Context, plan func(context.Context, giver) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	queues := make([]chan func(context.Context) error, demoWorkers)
	for i := range queues {
		queue := make(chan func(context.Context) error)
		queues[i] = queue
		workers.Go(func() {
			for task := range queue {
				if err := task(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := plan(ctx, func(number int, task func(context.Context) error) error {
		select {
		case queues[number%demoWorkers] <- task:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	for _, queue := range queues {
		close(queue)
	}
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// open opens a person's account, unless an earlier demo did.
func (d *demo) open(ctx context.Context, person *demoPerson) error {
	_, err := d.bank.OpenAccount(ctx, person.opening, client.CommandOptions{})
	if err != nil && client.CodeOf(err) != "account-exists" {
		return err //nolint:wrapcheck // it is for people already
	}
	d.opened.Add(1)
	d.show("opened the account of " + person.opening.AccountHolder)
	return nil
}

// move carries out a step, once, however often it is sent.
func (d *demo) move(ctx context.Context, step demoStep) error {
	done, move := "to", (*client.Client).Deposit
	if !step.in {
		done, move = "from", (*client.Client).Withdraw
	}
	var options client.CommandOptions
	return d.insist(ctx, func() error {
		receipt, err := move(d.bank, ctx, step.id, step.movement, options)
		options.Key = receipt.Key
		switch client.CodeOf(err) {
		case "insufficient-funds", "account-closed", "balance-limit":
			d.refused.Add(1)
			return nil
		}
		if err != nil {
			return err
		}
		d.moved.Add(1)
		d.show(fmt.Sprintf("%s %s %s %s", step.movement.Reference, step.movement.Amount, done, step.holder))
		return nil
	})
}

// insist tries again until it works, or is refused for good.
func (d *demo) insist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait := demoPatience
		if answered, ok := errors.AsType[*client.Error](err); ok {
			if answered.Refused() && answered.Status != http.StatusTooManyRequests {
				return err
			}
			wait = max(wait, answered.RetryAfter)
		}
		d.show("waiting: " + oneLine(err))
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (d *demo) show(last string) {
	d.line.show(printable(d.counts() + "; " + last))
}

func (d *demo) counts() string {
	moved := d.moved.Load()
	text := fmt.Sprintf("demo: %s accounts, %s movements, %.1f/s", grouped(d.opened.Load()), grouped(moved), float64(moved)/time.Since(d.began).Seconds())
	if refused := d.refused.Load(); refused > 0 {
		text += fmt.Sprintf(", %s refused", grouped(refused))
	}
	return text
}

// summary tells at the end, however it came, what was done.
func (d *demo) summary(out output) error {
	if d.opened.Load() == 0 {
		return nil
	}
	if d.command.JSON {
		return printJSON(out.stdout, struct {
			Accounts  int64   `json:"accounts"`
			Movements int64   `json:"movements"`
			Refused   int64   `json:"refused"`
			Seconds   float64 `json:"seconds"`
		}{d.opened.Load(), d.moved.Load(), d.refused.Load(), time.Since(d.began).Seconds()})
	}
	_, err := fmt.Fprintln(out.stdout, d.counts())
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}
