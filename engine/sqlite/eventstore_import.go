package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"passbook/es/event"
	"passbook/es/eventstore"
)

var (
	_ eventstore.Renewer = (*EventStore)(nil)
	_ eventstore.Filler  = (*EventStore)(nil)
)

// What store.pending says: why the events are not to be served, nothing if they
// are.
const (
	pendingBackup = "back-up"
	pendingImport = "import " // and the source behind it
)

const selectHistory = "SELECT history, pending FROM store"

// noHistory says in plain words why a store is not to be served.
func noHistory(pending string) error {
	switch pending {
	case "":
		return nil
	case pendingBackup:
		return fmt.Errorf("%w: it is a back-up: put it in place with recover", eventstore.ErrNoHistory)
	}
	return fmt.Errorf("%w: an import into it has not ended: run the same import again", eventstore.ErrNoHistory)
}

// pending reads what the store's row says within a transaction.
func (tx *transaction) pending() (pending string, err error) {
	err = tx.query("SELECT pending FROM store", nil, func(rows *sql.Rows) error { return rows.Scan(&pending) })
	return pending, err
}

const beginAnew = "UPDATE store SET history = ?, pending = ''"

// Renew implements eventstore.Renewer.
func (s *EventStore) Renew(ctx context.Context) (string, error) {
	history := event.NewID()
	err := s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		pending, err := tx.pending()
		if err == nil && pending != pendingBackup {
			err = noHistory(pending)
		}
		if err != nil {
			return false, err
		}
		return true, tx.exec(beginAnew, history)
	})
	if err != nil {
		return "", err
	}
	return history, nil
}

// BeginImport implements eventstore.Filler.
func (s *EventStore) BeginImport(ctx context.Context, source string) (head int64, err error) {
	err = s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		if head, err = tx.number(selectHead); err != nil {
			return false, err
		}
		pending, err := tx.pending()
		switch {
		case err != nil || pending == pendingImport+source:
			return false, err
		case pending == pendingBackup:
			return false, noHistory(pending)
		case pending != "":
			return false, eventstore.ErrOtherImport
		case head > 0:
			return false, fmt.Errorf("%w: it holds %d events", eventstore.ErrNotEmpty, head)
		}
		return true, tx.exec("UPDATE store SET pending = ?", pendingImport+source)
	})
	if err != nil {
		return 0, err
	}
	return head, nil
}

// errNoImport: a caller's mistake.
var errNoImport = errors.New("no import is under way")

func (tx *transaction) requireImport() error {
	pending, err := tx.pending()
	if err == nil && (pending == "" || pending == pendingBackup) {
		err = errNoImport
	}
	return err
}

// ImportEvents implements eventstore.Filler.
func (s *EventStore) ImportEvents(
	ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord,
) error {
	return s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		if err := tx.requireImport(); err != nil {
			return false, err
		}
		head, err := tx.number(selectHead)
		if err != nil {
			return false, err
		}
		if len(events) > 0 && events[0].Position != head+1 {
			return false, fmt.Errorf("position %d does not follow on %d", events[0].Position, head)
		}
		err = tx.insert("event", eventColumns, len(events), func(args []any, i int) []any {
			return appendEvent(args, &events[i])
		})
		if err != nil {
			return false, err
		}
		return true, tx.insert("idempotency_key", keyColumns, len(keys), func(args []any, i int) []any {
			return appendKey(args, &keys[i])
		})
	})
}

// EndImport implements eventstore.Filler.
func (s *EventStore) EndImport(ctx context.Context) (string, error) {
	history := event.NewID()
	err := s.db.write(ctx, func(tx *transaction) (commit bool, err error) {
		if err := tx.requireImport(); err != nil {
			return false, err
		}
		return true, tx.exec(beginAnew, history)
	})
	if err != nil {
		return "", err
	}
	return history, nil
}
