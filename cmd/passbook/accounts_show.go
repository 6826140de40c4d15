package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"passbook/bank/client"
)

// waitFlags have a query wait for what a command did.
type waitFlags struct {
	MinVersion *int64        `help:"Wait until the read model has this version of the account." placeholder:"N"`
	Wait       time.Duration `default:"2s" help:"How long to wait for it, 30s at most." placeholder:"TIME"`
}

func (f *waitFlags) await() client.Await {
	if f.MinVersion == nil {
		return client.Await{}
	}
	return client.Await{MinVersion: f.MinVersion, Wait: f.Wait}
}

type getAccountCommand struct {
	ID        string  `arg:"" help:"Account." name:"id"`
	AtVersion *int64  `help:"The account as this version left it." placeholder:"N"`
	At        instant `help:"The account as it was at this time." placeholder:"TIME"`

	waitFlags
	clientFlags
}

// Run shows an account.
func (c *getAccountCommand) Run(ctx context.Context, out output) error {
	if c.AtVersion != nil && !c.At.IsZero() {
		return errors.New("--at-version and --at: name one of them")
	}
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		found, err := bank.Account(ctx, c.ID, client.AccountQuery{AtVersion: c.AtVersion, At: c.At.Time, Await: c.await()})
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		if c.JSON {
			return printJSON(out.stdout, found)
		}
		return showAccount(out.stdout, found)
	})
}

func showAccount(w io.Writer, a client.Account) error {
	return printFields(w, [][2]string{
		{"Account", a.ID},
		{"Holder", a.AccountHolder},
		{"Type", string(a.AccountType)},
		{"Status", string(a.Status)},
		{"Balance", a.Balance.String()},
		{"Created", showTime(a.CreatedAt)},
		{"Updated", showTime(a.UpdatedAt)},
		{"Version", strconv.FormatInt(a.Version, 10)},
	})
}

type listAccountsCommand struct {
	Holder     string        `group:"Which:" help:"Of this holder, to the letter." placeholder:"NAME"`
	Type       accountType   `complete:"savings,current" group:"Which:" help:"Of this type: savings or current." placeholder:"TYPE"`
	Status     accountStatus `complete:"open,closed" group:"Which:" help:"In this state: open or closed." placeholder:"STATUS"`
	Currency   string        `complete:"EUR,USD,GBP,CHF,JPY" group:"Which:" help:"In this currency." placeholder:"CODE"`
	MinBalance string        `group:"Which:" help:"With this balance at least." placeholder:"AMOUNT"`
	MaxBalance string        `group:"Which:" help:"With this balance at most." placeholder:"AMOUNT"`
	Sort       string        `complete:"createdAt,-createdAt,balance,-balance,accountHolder,-accountHolder" help:"createdAt, balance or accountHolder; with - in front for descending order." placeholder:"BY"`
	PageSize   int           `help:"Accounts on a page, 1 to 1000. Default: 50." placeholder:"N"`
	PageToken  string        `help:"Go on at this page." placeholder:"TOKEN"`
	All        bool          `help:"All pages."`

	clientFlags
}

// Run lists accounts: one page, or all.
func (c *listAccountsCommand) Run(ctx context.Context, out output) error {
	filter := client.AccountsFilter{
		Holder: c.Holder, Type: c.Type.Type, Status: c.Status.Status, Currency: c.Currency,
		MinBalance: c.MinBalance, MaxBalance: c.MaxBalance, Sort: c.Sort, Page: client.Page{Size: c.PageSize, Token: c.PageToken},
	}
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		rows := newListing(out.stdout, c.JSON, "accounts", accountCells, "ID", "HOLDER", "TYPE", "STATUS", ">BALANCE", "CREATED")
		if c.All {
			if filter.Page.Size == 0 {
				filter.Page.Size = pageSizeMax
			}
			return rows.all(out, bank.AllAccounts(ctx, filter))
		}
		page, err := bank.Accounts(ctx, filter)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		if c.JSON {
			return printJSON(out.stdout, page)
		}
		for _, found := range page.Accounts {
			if err := rows.add(found); err != nil {
				return err
			}
		}
		if err := rows.end(out); err != nil {
			return err
		}
		if page.NextPageToken != "" {
			_, _ = fmt.Fprintf(out.stderr, "There are more: --all, or --page-token=%s for the next page.\n", printable(page.NextPageToken)) // a hint
		}
		return nil
	})
}

// pageSizeMax is the largest page that the API gives.
const pageSizeMax = 1000

func accountCells(a client.Account) []string {
	return []string{a.ID, a.AccountHolder, string(a.AccountType), string(a.Status), a.Balance.String(), showTime(a.CreatedAt)}
}
