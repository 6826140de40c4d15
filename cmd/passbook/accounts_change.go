package main

import (
	"context"

	"passbook/bank/client"
)

type openAccountCommand struct {
	Holder  string      `help:"Whose account it is." placeholder:"NAME" required:""`
	Type    accountType `complete:"savings,current" default:"current" help:"savings or current." placeholder:"TYPE"`
	Balance string      `help:"What is in it at the start, such as 12.50. Without it the account is empty." placeholder:"AMOUNT"`
	Phone   string      `help:"Where the holder is told by message." placeholder:"NUMBER"`
	Email   string      `help:"Where the holder is told by mail." placeholder:"ADDRESS"`
	ID      string      `help:"Id of the account. Default: the service makes one." name:"id" placeholder:"ID"`

	currencyFlag
	commandFlags
}

// Run opens an account.
func (c *openAccountCommand) Run(ctx context.Context, out output) error {
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		options, err := c.options()
		if err != nil {
			return err
		}
		opened := client.NewAccount{
			AccountHolder: c.Holder, AccountType: c.Type.Type, Currency: c.Currency, Phone: c.Phone, Email: c.Email, AccountID: c.ID,
		}
		if c.Balance != "" {
			if opened.OpeningBalance, err = c.money("opening balance", c.Balance); err != nil {
				return err
			}
			if opened.OpeningBalance.Sign() < 0 {
				return refusal("the opening balance must not be below 0, and " + opened.OpeningBalance.String() + " is")
			}
			opened.Currency = opened.OpeningBalance.Currency().Code()
		}
		receipt, err := bank.OpenAccount(ctx, opened, options)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		return c.confirm(out, receipt, "opened")
	})
}

// movementCommand is what deposits and withdrawals share.
type movementCommand struct {
	ID        string `arg:"" help:"Account." name:"id"`
	Amount    string `arg:"" help:"How much, such as 12.50."`
	Reference string `help:"What it is for, as the statement shows it." placeholder:"TEXT"`

	currencyFlag
	commandFlags
}

func (c *movementCommand) run(ctx context.Context, out output, done string,
	move func(*client.Client, context.Context, string, client.Movement, client.CommandOptions) (client.Receipt, error),
) error {
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		amount, err := c.above0(c.Amount)
		if err != nil {
			return err
		}
		options, err := c.options()
		if err != nil {
			return err
		}
		receipt, err := move(bank, ctx, c.ID, client.Movement{Amount: amount, Reference: c.Reference}, options)
		if err != nil {
			return err
		}
		return c.confirm(out, receipt, done+" "+amount.String())
	})
}

type depositCommand struct{ movementCommand }

// Run deposits.
func (c *depositCommand) Run(ctx context.Context, out output) error {
	return c.run(ctx, out, "deposited", (*client.Client).Deposit)
}

type withdrawCommand struct{ movementCommand }

// Run withdraws.
func (c *withdrawCommand) Run(ctx context.Context, out output) error {
	return c.run(ctx, out, "withdrew", (*client.Client).Withdraw)
}

type closeAccountCommand struct {
	ID     string `arg:"" help:"Account." name:"id"`
	Reason string `help:"Why; it is kept with the closing." placeholder:"TEXT"`

	commandFlags
}

// Run closes an account.
func (c *closeAccountCommand) Run(ctx context.Context, out output) error {
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		options, err := c.options()
		if err != nil {
			return err
		}
		receipt, err := bank.CloseAccount(ctx, c.ID, c.Reason, options)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		return c.confirm(out, receipt, "closed")
	})
}
