package notify

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"passbook/contract/account"
	"passbook/es/event"
)

// holder is an account on its way to its next row.
type holder struct {
	Contact
	name    string
	balance *account.Money
	// expected is the version that the row has, event.NoVersion if there is none;
	// version and eventID are those of the last event that was taken.
	expected, version int64
	eventID           string
}

// holders returns the accounts of events, those without a row too.
func (m *model) holders(ctx context.Context, tx *sql.Tx, events []event.Envelope) (map[string]*holder, error) {
	holders := make(map[string]*holder)
	var ids []string
	for _, e := range events {
		if holders[e.Stream] == nil {
			holders[e.Stream] = &holder{expected: event.NoVersion, version: event.NoVersion}
			ids = append(ids, e.Stream)
		}
	}
	err := each(ctx, tx, m.sql.accounts, ids, func(r row) error {
		var id, balance, currency string
		var h holder
		if err := r.Scan(&id, &h.version, &h.name, &h.Phone, &h.Email, &balance, &currency); err != nil {
			return err
		}
		if currency != "" {
			money, err := account.ParseMoney(balance, currency)
			if err != nil {
				return fmt.Errorf("row of account %s was changed from outside: %w", id, err)
			}
			h.balance = &money
		}
		h.expected = h.version
		holders[id] = &h
		return nil
	})
	return holders, err
}

// take changes the account by one event and returns what there is to tell of it.
func (h *holder) take(e event.Envelope, payload any) Message {
	m := Message{EventID: e.ID, AccountID: e.Stream, Version: e.Version, Time: e.Time}
	switch p := payload.(type) {
	case account.Opened:
		h.name, h.Contact = p.AccountHolder, Contact{Phone: p.Phone, Email: p.Email}
		m.Kind, m.Amount, m.Balance = KindOpened, money(p.OpeningBalance), money(p.OpeningBalance)
	case account.Deposited:
		m.Kind, m.Amount, m.Balance, m.Reference = KindDeposited, money(p.Amount), money(p.Balance), p.Reference
	case account.Withdrawn:
		m.Kind, m.Amount, m.Balance, m.Reference = KindWithdrawn, money(p.Amount), money(p.Balance), p.Reference
	case account.Closed:
		m.Kind, m.Balance, m.Reason = KindClosed, h.balance, p.Reason
	}
	m.Holder = h.name
	h.balance, h.version, h.eventID = m.Balance, e.Version, e.ID
	return m
}

// money is nil for one that the payload did not have.
func money(m account.Money) *account.Money {
	if m.Currency().IsZero() {
		return nil
	}
	return &m
}

// writer writes rows in a transaction, all of a table in one statement.
type writer struct {
	tx  *sql.Tx
	sql statements
	now int64 // microseconds since 1970, by the database's clock
}

func newWriter(ctx context.Context, tx *sql.Tx, s statements, now clock) (*writer, error) {
	t, err := now(ctx, tx)
	return &writer{tx: tx, sql: s, now: t.UnixMicro()}, err
}

// rows are those of a table, as a statement takes them.
type rows [][]any

func (w *writer) events(ctx context.Context, events []event.Envelope) error {
	all := make(rows, len(events))
	for i, e := range events {
		all[i] = []any{e.Stream, e.Version, e.ID, e.Position}
	}
	if _, err := exec(ctx, w.tx, w.sql.insertEvents, all); err != nil {
		return fmt.Errorf("insert %d events: %w", len(events), err)
	}
	return nil
}

// holders writes the rows of accounts, if each has the version that is expected:
// those that are new, then the others, both ascending.
func (w *writer) holders(ctx context.Context, holders map[string]*holder) error {
	var opened, moved rows
	for _, id := range slices.Sorted(maps.Keys(holders)) {
		h := holders[id]
		balance, currency := "", ""
		if h.balance != nil {
			balance, currency = h.balance.Amount(), h.balance.Currency().Code()
		}
		row := []any{id, h.version, h.eventID, h.name, h.Phone, h.Email, balance, currency}
		if h.expected == event.NoVersion {
			opened = append(opened, row)
		} else {
			moved = append(moved, append(row, h.expected))
		}
	}
	for _, one := range []struct {
		statement string
		rows      rows
	}{{w.sql.insertAccounts, opened}, {w.sql.updateAccounts, moved}} {
		written, err := exec(ctx, w.tx, one.statement, one.rows)
		if err != nil {
			return fmt.Errorf("write %d accounts: %w", len(one.rows), err)
		}
		if written != int64(len(one.rows)) {
			return fmt.Errorf("%w: of %d accounts from %s to %s, %d are as they were read",
				errVersion, len(one.rows), one.rows[0][0], one.rows[len(one.rows)-1][0], written)
		}
	}
	return nil
}

// recording is a message on its way to one channel.
type recording struct {
	lane
	address  string
	message  Message
	position int64
}

// lane names a row of notify_lane.
type lane struct{ channel, accountID string }

// recordingsOf returns a message for each channel on which the holder can be
// reached.
func recordingsOf(channels []Channel, c Contact, m Message, position int64) (all []recording) {
	for _, channel := range channels {
		if address, ok := channel.Address(c); ok {
			all = append(all, recording{lane{channel.Name(), m.AccountID}, address, m, position})
		}
	}
	return all
}

// notifications records messages in their order, and before that wants all their
// lanes to be there: in the order in which everybody locks them, so that nobody
// waits for one that is waited for.
func (w *writer) notifications(ctx context.Context, all []recording) error {
	wanted := make(map[lane]bool)
	for _, one := range all {
		wanted[one.lane] = true
	}
	lanes := make(rows, 0, len(wanted))
	for _, l := range slices.SortedFunc(maps.Keys(wanted), compareLanes) {
		lanes = append(lanes, []any{l.channel, l.accountID, w.now})
	}
	if _, err := exec(ctx, w.tx, w.sql.insertLanes, lanes); err != nil {
		return fmt.Errorf("queue %d accounts: %w", len(lanes), err)
	}
	notifications := make(rows, 0, len(all))
	for _, one := range all {
		m := one.message
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		notifications = append(notifications, []any{notificationID(m.EventID, one.channel), m.EventID, one.position,
			m.AccountID, string(m.Kind), one.channel, one.address, string(text), w.now})
	}
	if _, err := exec(ctx, w.tx, w.sql.insertNotifications, notifications); err != nil {
		return fmt.Errorf("insert %d notifications: %w", len(notifications), err)
	}
	return nil
}

func compareLanes(a, b lane) int {
	return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.accountID, b.accountID))
}
