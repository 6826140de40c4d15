package commandapi

import (
	"context"
	"errors"

	"passbook/bank/account"
	"passbook/es/aggregate"
	"passbook/es/command"
	"passbook/es/event"
)

// newDispatcher returns the dispatcher of all commands on accounts, with
// middleware around each of them, the first one outermost.
func newDispatcher(accounts *aggregate.Repository[account.State], middleware ...command.Middleware) *command.Dispatcher {
	d := command.NewDispatcher(middleware...)
	handle(d, accounts, func(c account.OpenAccount) string { return c.AccountID })
	handle(d, accounts, func(c account.DepositFunds) string { return c.AccountID })
	handle(d, accounts, func(c account.WithdrawFunds) string { return c.AccountID })
	handle(d, accounts, func(c account.CloseAccount) string { return c.AccountID })
	return d
}

// decider is a command that knows its own rules.
type decider interface {
	Decide(s account.State) ([]any, error)
}

// handle registers the handler of one command. stream names the account that
// the command is for.
func handle[C decider](d *command.Dispatcher, accounts *aggregate.Repository[account.State], stream func(C) string) {
	command.Handle(d, func(ctx context.Context, how command.Circumstances, c C) (command.Result, error) {
		outcome, err := accounts.Execute(ctx, aggregate.Request[account.State]{
			Stream:      stream(c),
			Decide:      c.Decide,
			Expected:    how.ExpectedVersion,
			Key:         how.Key,
			RequestHash: how.RequestHash,
			Result:      resultOf,
			Metadata: event.Metadata{
				CorrelationID: how.CorrelationID,
				CausationID:   how.ID,
				Actor:         how.Actor,
				TraceParent:   how.TraceParent,
			},
		})
		if err != nil {
			return command.Result{}, unconditional(err, c)
		}
		return command.Result{
			Stream:   outcome.Stream,
			Version:  outcome.Version,
			Position: outcome.Position,
			Data:     outcome.Result,
			Replayed: outcome.Replayed,
		}, nil
	})
}

// unconditional replaces a wrong version by the command's own refusal where
// there is no account to have a version: that it is not there says more than
// that it is not at version 3.
func unconditional(err error, c decider) error {
	mismatch, ok := errors.AsType[*aggregate.VersionError](err)
	if !ok || mismatch.Actual != event.NoVersion {
		return err
	}
	if _, refusal := c.Decide(account.State{}); refusal != nil {
		return refusal
	}
	return err
}
