package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"passbook/contract/account"
)

// Account is an account as the read model, or the past, shows it.
type Account struct {
	ID            string         `json:"id"`
	AccountHolder string         `json:"accountHolder"`
	AccountType   account.Type   `json:"accountType"`
	Status        account.Status `json:"status"`
	Balance       account.Money  `json:"balance"`
	CreatedAt     time.Time      `json:"createdAt"`
	UpdatedAt     time.Time      `json:"updatedAt"`
	Version       int64          `json:"version"`
}

// AccountQuery says which state of an account is asked for: the newest one if it
// is empty. AtVersion and At exclude each other, and Await.
type AccountQuery struct {
	AtVersion *int64    // as of this version
	At        time.Time // as of this time

	Await Await
}

// Await has a query wait until the read model shows what a command did: that is
// what Receipt.Version and Receipt.Position are for. The zero value waits for
// nothing.
type Await struct {
	MinVersion  *int64 // of the account that is asked for
	MinPosition *int64 // of the whole read model
	// Wait is how long at most: up to 30 s. Then the error is not-yet-visible.
	Wait time.Duration
}

func (w Await) set(query url.Values) {
	setNumber(query, "minVersion", w.MinVersion)
	setNumber(query, "minPosition", w.MinPosition)
	if w.Wait > 0 && len(query) > 0 {
		query.Set("wait", w.Wait.String())
	}
}

// Account returns one account.
func (c *Client) Account(ctx context.Context, id string, q AccountQuery) (Account, error) {
	query := url.Values{}
	q.Await.set(query)
	setNumber(query, "atVersion", q.AtVersion)
	setTime(query, "at", q.At)
	var found Account
	err := c.get(ctx, c.query, q.Await.Wait, query, &found, "accounts", id)
	return found, err
}

// AccountsFilter chooses accounts. Empty fields choose nothing: the zero value
// stands for all accounts.
type AccountsFilter struct {
	Holder     string // exactly
	Type       account.Type
	Status     account.Status
	Currency   string
	MinBalance string // a decimal, inclusive; with Currency where there are several
	MaxBalance string
	// Sort is createdAt, balance or accountHolder, with - in front for descending.
	Sort string

	Page  Page
	Await Await
}

// Accounts returns one page of accounts.
func (c *Client) Accounts(ctx context.Context, filter AccountsFilter) (AccountsPage, error) {
	query := url.Values{}
	filter.Await.set(query)
	setText(query, "holder", filter.Holder)
	setText(query, "type", string(filter.Type))
	setText(query, "status", string(filter.Status))
	setText(query, "currency", filter.Currency)
	setText(query, "minBalance", filter.MinBalance)
	setText(query, "maxBalance", filter.MaxBalance)
	setText(query, "sort", filter.Sort)
	filter.Page.set(query)
	var page AccountsPage
	err := c.get(ctx, c.query, filter.Await.Wait, query, &page, "accounts")
	return page, err
}

// AccountsPage is one page of accounts.
type AccountsPage struct {
	Accounts []Account `json:"accounts"`
	// NextPageToken asks for the next page; empty on the last.
	NextPageToken string `json:"nextPageToken,omitempty"`
}

// AllAccounts walks through all pages from filter.Page on, each with a deadline
// of its own. It ends after the first error.
func (c *Client) AllAccounts(ctx context.Context, filter AccountsFilter) iter.Seq2[Account, error] {
	return walk(filter.Page, func(page Page) ([]Account, string, error) {
		filter.Page = page
		found, err := c.Accounts(ctx, filter)
		return found.Accounts, found.NextPageToken, err
	})
}

// Kinds of entries.
const (
	Opened    = "OPENED"
	Deposited = "DEPOSITED"
	Withdrawn = "WITHDRAWN"
	Closed    = "CLOSED"
)

// Entry is one line of a statement: one event of the account.
type Entry struct {
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // OPENED, DEPOSITED, WITHDRAWN or CLOSED
	// Amount has no sign: the kind tells whether it came in or went out. Nil where
	// nothing moved.
	Amount    *account.Money `json:"amount,omitempty"`
	Balance   account.Money  `json:"balance"` // after the event
	Reference string         `json:"reference,omitempty"`
}

// StatementQuery chooses entries of one account, oldest first. Zero times choose
// nothing.
type StatementQuery struct {
	From, To time.Time
	Page     Page
	Await    Await
}

// StatementPage is one page of a statement.
type StatementPage struct {
	Entries       []Entry `json:"entries"`
	NextPageToken string  `json:"nextPageToken,omitempty"`
}

// Statement returns one page of an account's entries.
func (c *Client) Statement(ctx context.Context, id string, q StatementQuery) (StatementPage, error) {
	query := url.Values{}
	q.Await.set(query)
	setTime(query, "from", q.From)
	setTime(query, "to", q.To)
	q.Page.set(query)
	var page StatementPage
	err := c.get(ctx, c.query, q.Await.Wait, query, &page, "accounts", id, "statement")
	return page, err
}

// AllEntries walks through all pages of a statement, as AllAccounts does.
func (c *Client) AllEntries(ctx context.Context, id string, q StatementQuery) iter.Seq2[Entry, error] {
	return walk(q.Page, func(page Page) ([]Entry, string, error) {
		q.Page = page
		found, err := c.Statement(ctx, id, q)
		return found.Entries, found.NextPageToken, err
	})
}

// get asks a service for something at a path.
func (c *Client) get(ctx context.Context, s *service, wait time.Duration, query url.Values, into any, path ...string) error {
	if wait < 0 {
		return fmt.Errorf("client: a wait of %s is negative", wait)
	}
	address, err := s.url(query, path...)
	if err != nil {
		return err
	}
	return c.fetch(ctx, s, address, wait, into)
}

func setText(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

func setNumber(query url.Values, name string, value *int64) {
	if value != nil {
		query.Set(name, strconv.FormatInt(*value, 10))
	}
}

func setTime(query url.Values, name string, value time.Time) {
	if !value.IsZero() {
		query.Set(name, value.UTC().Format(time.RFC3339Nano))
	}
}
