package readmodel

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"passbook/contract/account"
	"passbook/es/event"
)

// Audit proves that the rows of a line say what its events say, without adding
// anything up as the model does: every event but a closing names the balance
// behind it. It is
// told all events, in any order of accounts, and then compared with the tables.
// Its memory does not grow with them. Used by one goroutine.
type Audit struct {
	sql  auditStatements
	told tally
}

// NewAudit returns an audit of the tables of a line, in a database that speaks
// dialect.
func NewAudit(dialect Dialect, tables Tables) (*Audit, error) {
	statements, err := dialect.statements(tables)
	if err != nil {
		return nil, err
	}
	return &Audit{sql: statements.audit}, nil
}

// tally is a number of events and the sum of their hashes. Two collections of
// events that differ have different tallies, whatever their order, but by an
// accident of 1 in 2^64.
type tally struct {
	events int64
	sum    uint64
}

func (t *tally) add(parts ...string) {
	hash := sha256.New()
	for _, part := range parts {
		_ = binary.Write(hash, binary.BigEndian, uint32(len(part))) //nolint:gosec // a hash takes everything; texts are short
		hash.Write([]byte(part))
	}
	t.events++
	t.sum += binary.BigEndian.Uint64(hash.Sum(nil))
}

// audited is what of a payload is compared, as text: nothing is worked out.
type audited struct {
	AccountHolder  string       `json:"accountHolder"`
	AccountType    string       `json:"accountType"`
	Reference      string       `json:"reference"`
	OpeningBalance auditedMoney `json:"openingBalance"`
	Amount         auditedMoney `json:"amount"`
	Balance        auditedMoney `json:"balance"`
}

type auditedMoney struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// Saw takes note of an event. The error tells of a payload that is no JSON.
func (a *Audit) Saw(e event.Envelope) error {
	var p audited
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	amount, balance := p.Amount, p.Balance
	if e.Version == 0 {
		amount, balance = p.OpeningBalance, p.OpeningBalance
	}
	a.told.add(e.Stream, strconv.FormatInt(e.Version, 10), e.ID, strconv.FormatInt(e.Position, 10),
		amount.Amount, balance.Amount, balance.Currency, p.Reference, p.AccountHolder, p.AccountType)
	return nil
}

// ErrAudit is returned where the tables do not say what the events say.
var ErrAudit = errors.New("the rows do not add up to the events")

// Check compares the tables with the events that were told. Accounts that except
// names do not count: what was told leaves them out too.
func (a *Audit) Check(ctx context.Context, tx *sql.Tx, except map[string]bool) error {
	var found tally
	if err := a.entries(ctx, tx, except, &found); err != nil {
		return err
	}
	if found != a.told {
		return fmt.Errorf("%w: %d entries of accounts, made from %d events, hold something else", ErrAudit, found.events, a.told.events)
	}
	return a.rows(ctx, tx, except)
}

func (a *Audit) entries(ctx context.Context, tx *sql.Tx, except map[string]bool, found *tally) error {
	rows, err := tx.QueryContext(ctx, a.sql.entries)
	if err != nil {
		return fmt.Errorf("read the entries: %w", err)
	}
	defer func() { _ = rows.Close() }() // it was read to its end, or there is an error already
	for rows.Next() {
		var id, version, eventID, position, amount, balance, currency, reference, holder string
		var ordinal int
		err := rows.Scan(&id, &version, &eventID, &position, &amount, &balance, &currency, &reference, &holder, &ordinal)
		if err != nil {
			return fmt.Errorf("read the entries: %w", err)
		}
		if except[id] {
			continue
		}
		kind, _ := account.TypeOfOrdinal(ordinal) // none behind the first entry, and a wrong one is a difference
		found.add(id, version, eventID, position, amount, balance, currency, reference, holder, string(kind))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the entries: %w", err)
	}
	return nil
}

// rows compares each account with the last of its entries.
func (a *Audit) rows(ctx context.Context, tx *sql.Tx, except map[string]bool) error {
	rows, err := tx.QueryContext(ctx, a.sql.rows)
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	defer func() { _ = rows.Close() }() // it was read to its end, or there is an error already
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("read the accounts: %w", err)
		}
		if !except[id] {
			return fmt.Errorf("%w: account %s does not stand where its last entry does", ErrAudit, id)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	return nil
}

// Differences counts the accounts that the live tables and those of another line
// show differently, as far as the two can be compared: at the same version, and
// accounts of the live line that the other has not, although it is past them.
func Differences(ctx context.Context, tx *sql.Tx, dialect Dialect, other Tables) (int64, error) {
	statements, err := dialect.statements(other)
	if err != nil {
		return 0, err
	}
	var count int64
	if err := tx.QueryRowContext(ctx, statements.audit.differences).Scan(&count); err != nil {
		return 0, fmt.Errorf("compare the lines: %w", err)
	}
	return count, nil
}
