package main

import (
	"fmt"
	"strings"

	"passbook/bank/client"
	"passbook/contract/account"
)

// accountsCommand are the commands of people who keep accounts.
type accountsCommand struct {
	Open      openAccountCommand  `cmd:"" help:"Open an account."`
	Deposit   depositCommand      `cmd:"" help:"Put money into an account."`
	Withdraw  withdrawCommand     `cmd:"" help:"Take money out of an account."`
	Close     closeAccountCommand `cmd:"" help:"Close an account for good. It must be empty."`
	Get       getAccountCommand   `cmd:"" help:"Show an account, now or in the past."`
	List      listAccountsCommand `cmd:"" help:"List accounts."`
	History   historyCommand      `cmd:"" help:"Show every version of an account: what happened, and the balance after it."`
	Statement statementCommand    `cmd:"" help:"Print a statement of an account: money in and out over a period."`
}

// commandFlags are what every command takes that changes an account.
type commandFlags struct {
	Key       string `help:"Idempotency key: repeat a command with the key it was given, and it is carried out once. Default: a new one." placeholder:"KEY"`
	IfVersion *int64 `help:"Refuse unless the account has this version." placeholder:"N"`

	clientFlags
}

func (f *commandFlags) options() (client.CommandOptions, error) {
	if f.Key != "" {
		if err := account.CheckIdempotencyKey(f.Key); err != nil {
			return client.CommandOptions{}, fmt.Errorf("--key: %w", err)
		}
	}
	return client.CommandOptions{Key: f.Key, IfVersion: f.IfVersion}, nil
}

// confirm tells what a command has done.
func (f *commandFlags) confirm(out output, receipt client.Receipt, done string) error {
	if f.JSON {
		return printJSON(out.stdout, receipt)
	}
	text := fmt.Sprintf("account %s: %s", receipt.AccountID, done)
	if receipt.Balance != nil {
		text += fmt.Sprintf(", balance %s", receipt.Balance)
	}
	text += fmt.Sprintf(", version %d", receipt.Version)
	if receipt.Replayed {
		text += " (it was done before, under the same key)"
	}
	_, err := fmt.Fprintln(out.stdout, printable(text))
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}

// accountType is a type of account in any case of letters.
type accountType struct{ account.Type }

// UnmarshalText takes savings and current.
func (t *accountType) UnmarshalText(text []byte) (err error) {
	if t.Type, err = account.ParseType(strings.ToUpper(string(text))); err != nil {
		return fmt.Errorf("%q is no type of account: want savings or current", text)
	}
	return nil
}

// accountStatus is a status in any case of letters.
type accountStatus struct{ account.Status }

// UnmarshalText takes open and closed.
func (s *accountStatus) UnmarshalText(text []byte) error {
	switch s.Status = account.Status(strings.ToUpper(string(text))); s.Status {
	case account.StatusOpen, account.StatusClosed:
		return nil
	}
	return fmt.Errorf("%q is no status: want open or closed", text)
}
