package readmodel

import (
	"context"
	"database/sql"
	"fmt"

	"passbook/contract/account"
	"passbook/es/event"
)

// write brings changes into the tables. Each statement that changes an account
// names the version that it expects.
func (m *Model) write(ctx context.Context, tx *sql.Tx, changes []*change) error {
	if m.sql.write != nil {
		return m.sql.write(ctx, tx, changes)
	}
	w := writer{tx: tx, prepared: make(map[string]*sql.Stmt)}
	defer w.close()
	for _, c := range changes {
		if err := w.account(ctx, m.sql, c); err != nil {
			return err
		}
		for _, line := range c.entries {
			if err := w.entry(ctx, m.sql, c.next.ID, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// writer runs statements in a transaction, each prepared when it is first used.
type writer struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

func (w *writer) account(ctx context.Context, s statements, c *change) error {
	a := &c.next
	var result sql.Result
	var err error
	if c.expected == event.NoVersion {
		ordinal, _ := a.Type.Ordinal() // there is one: the opening was taken
		result, err = w.exec(ctx, s.insertAccount, a.ID, a.Holder, formatTime(a.CreatedAt), ordinal,
			a.Balance.Amount(), a.Balance.Currency().Code(), string(a.Status),
			a.Version, a.EventID, a.Position, formatTime(a.UpdatedAt), units(a.Balance))
	} else {
		values := []any{
			a.Balance.Amount(), units(a.Balance), a.Version, a.EventID, a.Position, formatTime(a.UpdatedAt), a.ID, c.expected,
		}
		statement := s.updateAccount
		if a.Status != c.status {
			statement, values = s.updateStatus, append([]any{string(a.Status)}, values...)
		}
		result, err = w.exec(ctx, statement, values...)
	}
	if err != nil {
		return fmt.Errorf("write account %s: %w", a.ID, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("write account %s: %w", a.ID, err)
	}
	if changed != 1 {
		return fmt.Errorf("%w: account %s is not at version %d any more", ErrVersion, a.ID, c.expected)
	}
	return nil
}

func (w *writer) entry(ctx context.Context, s statements, id string, e Entry) error {
	since := "" // as the event's own time
	if !e.since.Equal(e.Time) {
		since = formatTime(e.since)
	}
	_, err := w.exec(ctx, s.insertEntry, id, e.Version, e.EventID, formatTime(e.Time), string(e.Kind),
		amountOrNull(e.Amount), e.Balance.Amount(), textOrNull(e.Reference), e.Position, textOrNull(since))
	if err != nil {
		return fmt.Errorf("insert entry %d of account %s: %w", e.Version, id, err)
	}
	return nil
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

func amountOrNull(m *account.Money) sql.NullString {
	if m == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: m.Amount(), Valid: true}
}

func textOrNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
