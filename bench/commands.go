package bench

import (
	"context"
	"fmt"
)

// runCommands is the bench of commands over HTTP: deposits to so many accounts,
// as fast as the role command alone answers; and beside it, all roles in one
// process.
func runCommands(ctx context.Context, b *bench, accounts int) (Result, error) {
	b.plan(3 * b.config.Duration)
	echo, err := b.echo(ctx)
	if err != nil {
		return Result{}, err
	}
	defer echo.close()
	alone, err := b.deployCommand(ctx)
	if err != nil {
		return Result{}, err
	}
	t := newTeller(accounts)
	service, err := b.atCounter(ctx, alone, t)
	if err != nil {
		return Result{}, err
	}
	defer service.close()
	next := func(int) request { return t.deposit(t.some()) }
	y, f, err := b.compare(ctx, echo.drive(next), service.drive(next))
	if err != nil {
		return Result{}, err
	}
	result := rate("commands", "commands/s", f).against(y.PerSecond(), echoIs)
	result.Conditions = fmt.Sprintf("%d connections, %d accounts, role command alone", b.config.Connections, accounts)

	every, err := b.deployAll(ctx)
	if err != nil {
		return Result{}, err
	}
	whole, err := b.atCounter(ctx, every, t)
	if err != nil {
		return Result{}, err
	}
	defer whole.close()
	all, err := b.measure(ctx, whole.drive(next), b.config.Duration)
	result.Beside = []Figure{rate("all roles in one process", "commands/s", all)}
	return result, err
}

// atCounter connects to a command API and opens the accounts.
func (b *bench) atCounter(ctx context.Context, addr string, t *teller) (connections, error) {
	all, err := connect(ctx, addr, b.config.Connections)
	if err != nil {
		return nil, err
	}
	if err := t.open(ctx, all); err != nil {
		all.close()
		return nil, err
	}
	return all, nil
}
