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

// writer runs statements in a transaction, each prepared when it is first used.
type writer struct {
	tx       *sql.Tx
	sql      statements
	now      int64 // microseconds since 1970, by the database's clock
	prepared map[string]*sql.Stmt
}

func newWriter(ctx context.Context, tx *sql.Tx, s statements, now clock) (*writer, error) {
	t, err := now(ctx, tx)
	return &writer{tx: tx, sql: s, now: t.UnixMicro(), prepared: make(map[string]*sql.Stmt)}, err
}

func (w *writer) event(ctx context.Context, e event.Envelope) error {
	if _, err := w.exec(ctx, w.sql.insertEvent, e.Stream, e.Version, e.ID, e.Position); err != nil {
		return fmt.Errorf("insert event %d of account %s: %w", e.Version, e.Stream, err)
	}
	return nil
}

// holder writes the row of an account, if it has the version that is expected.
func (w *writer) holder(ctx context.Context, id string, h *holder) error {
	balance, currency := "", ""
	if h.balance != nil {
		balance, currency = h.balance.Amount(), h.balance.Currency().Code()
	}
	statement := w.sql.insertAccount
	args := []any{h.version, h.eventID, h.name, h.Phone, h.Email, balance, currency, id}
	if h.expected != event.NoVersion {
		statement, args = w.sql.updateAccount, append(args, h.expected)
	}
	result, err := w.exec(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("write account %s: %w", id, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("write account %s: %w", id, err)
	}
	if changed != 1 {
		return fmt.Errorf("%w: account %s is not at version %d any more", errVersion, id, h.expected)
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
	lanes := make(map[lane]bool)
	for _, one := range all {
		lanes[one.lane] = true
	}
	for _, l := range slices.SortedFunc(maps.Keys(lanes), compareLanes) {
		if _, err := w.exec(ctx, w.sql.insertLane, l.channel, l.accountID, w.now); err != nil {
			return fmt.Errorf("queue account %s for channel %s: %w", l.accountID, l.channel, err)
		}
	}
	for _, one := range all {
		m := one.message
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		_, err = w.exec(ctx, w.sql.insertNotification, notificationID(m.EventID, one.channel), m.EventID, one.position,
			m.AccountID, string(m.Kind), one.channel, one.address, string(text), w.now, w.now)
		if err != nil {
			return fmt.Errorf("insert notification of event %s for channel %s: %w", m.EventID, one.channel, err)
		}
	}
	return nil
}

func compareLanes(a, b lane) int {
	return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.accountID, b.accountID))
}

func (w *writer) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	prepared, ok := w.prepared[statement]
	if !ok {
		var err error
		if prepared, err = w.tx.PrepareContext(ctx, statement); err != nil {
			return nil, err
		}
		w.prepared[statement] = prepared
	}
	return prepared.ExecContext(ctx, args...)
}

// close lets the statements go, which the end of the transaction would do too:
// an error of it changes nothing.
func (w *writer) close() {
	for _, prepared := range w.prepared {
		_ = prepared.Close()
	}
}
