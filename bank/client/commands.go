package client

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"passbook/contract/account"
)

// CommandOptions go with any command.
type CommandOptions struct {
	// Key is the idempotency key; one is made if it is empty. Give one to repeat a
	// command whose outcome is not known.
	Key string
	// IfVersion has the command refused with version-conflict unless the account
	// has this version.
	IfVersion *int64
}

func (o CommandOptions) header() map[string]string {
	header := map[string]string{"Idempotency-Key": o.Key}
	if o.IfVersion != nil {
		header["If-Match"] = `"` + strconv.FormatInt(*o.IfVersion, 10) + `"`
	}
	return header
}

// Receipt is the answer to a command that was carried out.
type Receipt struct {
	AccountID string `json:"accountId"`
	Version   int64  `json:"version"`  // of the account, by this command
	Position  int64  `json:"position"` // of the command's last event in the store
	// Balance is the account's after a deposit or withdrawal.
	Balance *account.Money `json:"balance,omitempty"`

	Issued `json:"-"`
}

// NewAccount is what an account is opened with. Holder and Type are needed.
type NewAccount struct {
	AccountHolder  string        `json:"accountHolder"`
	AccountType    account.Type  `json:"accountType"`
	OpeningBalance account.Money `json:"-"` // the zero Money: none
	// Currency of an account that starts empty; empty: the service's own.
	Currency string `json:"currency,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Email    string `json:"email,omitempty"`
	// AccountID is made by the service if it is empty.
	AccountID string `json:"accountId,omitempty"`
}

// Movement is money that comes in or goes out.
type Movement struct {
	Amount    account.Money `json:"amount"` // above zero, in the account's currency
	Reference string        `json:"reference,omitempty"`
}

// OpenAccount opens an account.
func (c *Client) OpenAccount(ctx context.Context, opened NewAccount, options CommandOptions) (Receipt, error) {
	body := struct {
		NewAccount

		OpeningBalance *account.Money `json:"openingBalance,omitempty"`
	}{NewAccount: opened}
	if !opened.OpeningBalance.Currency().IsZero() {
		body.OpeningBalance = &opened.OpeningBalance
	}
	return c.carryOut(ctx, body, options, "accounts")
}

// Deposit brings money into an account.
func (c *Client) Deposit(ctx context.Context, id string, movement Movement, options CommandOptions) (Receipt, error) {
	return c.carryOut(ctx, movement, options, "accounts", id, "deposits")
}

// Withdraw takes money out of an account.
func (c *Client) Withdraw(ctx context.Context, id string, movement Movement, options CommandOptions) (Receipt, error) {
	return c.carryOut(ctx, movement, options, "accounts", id, "withdrawals")
}

// CloseAccount closes an account for good. The reason may be empty.
func (c *Client) CloseAccount(ctx context.Context, id, reason string, options CommandOptions) (Receipt, error) {
	body := struct {
		Reason string `json:"reason,omitempty"`
	}{reason}
	return c.carryOut(ctx, body, options, "accounts", id, "closure")
}

// carryOut sends a command. After an error the receipt has the key alone.
func (c *Client) carryOut(ctx context.Context, command any, options CommandOptions, path ...string) (Receipt, error) {
	body, err := json.Marshal(command)
	if err != nil {
		return Receipt{}, fmt.Errorf("client: the command cannot be written: %w", err)
	}
	address, err := c.command.url(nil, path...)
	if err != nil {
		return Receipt{}, err
	}
	var receipt Receipt
	issued, err := c.issue(ctx, c.command, address, options, body, &receipt)
	if err != nil {
		return Receipt{Issued: issued}, err
	}
	receipt.Issued = issued
	return receipt, nil
}
