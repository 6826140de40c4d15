package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"passbook/bank/client"
)

type historyCommand struct {
	ID string `arg:"" help:"Account." name:"id"`

	clientFlags
}

// Run shows every version of an account. What it looked like at one of them is
// for "get --at-version" to show.
func (c *historyCommand) Run(ctx context.Context, out output) error {
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		rows := newListing(out.stdout, c.JSON, "entries", historyCells, ">VERSION", "TIME", "EVENT", ">AMOUNT", ">BALANCE", "REFERENCE")
		return rows.all(out, entries(ctx, bank, c.ID, time.Time{}, time.Time{}))
	})
}

func historyCells(e client.Entry) []string {
	amount := ""
	if e.Amount != nil {
		amount = e.Amount.String()
	}
	return []string{strconv.FormatInt(e.Version, 10), showTime(e.Time), e.Kind, amount, e.Balance.String(), e.Reference}
}

type statementCommand struct {
	ID   string  `arg:"" help:"Account." name:"id"`
	From instant `help:"From this time on." placeholder:"TIME"`
	To   instant `help:"Up to this time." placeholder:"TIME"`
	CSV  bool    `help:"Print comma-separated values, for spreadsheets." name:"csv"`

	clientFlags
}

// Run prints a statement, all of it.
func (c *statementCommand) Run(ctx context.Context, out output) error {
	if c.JSON && c.CSV {
		return errors.New("--json and --csv: name one of them")
	}
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		found := entries(ctx, bank, c.ID, c.From.Time, c.To.Time)
		if c.CSV {
			return printCSV(out.stdout, found)
		}
		return newListing(out.stdout, c.JSON, "entries", statementCells, "TIME", "ENTRY", ">AMOUNT", ">BALANCE", "REFERENCE").all(out, found)
	})
}

// entries walks through a statement in the largest pages that there are.
func entries(ctx context.Context, bank *client.Client, id string, from, to time.Time) iter.Seq2[client.Entry, error] {
	return bank.AllEntries(ctx, id, client.StatementQuery{From: from, To: to, Page: client.Page{Size: pageSizeMax}})
}

// statementCells show money that went out below zero, as statements do.
func statementCells(e client.Entry) []string {
	text, amount := e.Kind, ""
	if e.Amount != nil {
		amount = e.Amount.String()
	}
	switch e.Kind {
	case client.Opened:
		text = "opened"
	case client.Deposited:
		text = "deposit"
	case client.Withdrawn:
		text, amount = "withdrawal", "-"+amount
	case client.Closed:
		text = "closed"
	}
	return []string{showTime(e.Time), text, amount, e.Balance.String(), e.Reference}
}

// printCSV prints the columns that the API gives as text/csv, from all pages.
func printCSV(w io.Writer, found iter.Seq2[client.Entry, error]) error {
	lines := csv.NewWriter(w)
	if err := lines.Write([]string{"version", "time", "kind", "reference", "amount", "balance", "currency"}); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for e, err := range found {
		if err != nil {
			return err
		}
		amount := ""
		if e.Amount != nil {
			amount = e.Amount.Amount()
		}
		line := []string{
			strconv.FormatInt(e.Version, 10), e.Time.UTC().Format(time.RFC3339Nano), e.Kind, e.Reference,
			amount, e.Balance.Amount(), e.Balance.Currency().Code(),
		}
		if err := lines.Write(line); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	lines.Flush()
	return lines.Error() //nolint:wrapcheck // standard output is gone: there is nothing to add
}
