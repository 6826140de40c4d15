package readmodel

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"passbook/es/event"
)

// mysqlRowsMax is how many rows one statement writes. Between the program and
// the database lies a network: a statement for each row would wait for it.
const mysqlRowsMax = 500

// mysqlWriter returns what writes changes, whose accounts ascend: new rows, rows
// that change, and entries, each as few statements of many rows. Rows are locked
// in the order of their keys. A statement names the version of each row that it
// changes, and counts those that had it.
func mysqlWriter(t Tables) func(ctx context.Context, tx *sql.Tx, changes []*change) error {
	return func(ctx context.Context, tx *sql.Tx, changes []*change) error {
		var opened, moved []*change
		for _, c := range changes {
			if c.expected == event.NoVersion {
				opened = append(opened, c)
			} else {
				moved = append(moved, c)
			}
		}
		for some := range slices.Chunk(opened, mysqlRowsMax) {
			if err := mysqlInsertAccounts(ctx, tx, t, some); err != nil {
				return err
			}
		}
		for some := range slices.Chunk(moved, mysqlRowsMax) {
			if err := mysqlUpdateAccounts(ctx, tx, t, some); err != nil {
				return err
			}
		}
		return mysqlInsertEntries(ctx, tx, t, changes)
	}
}

func mysqlInsertAccounts(ctx context.Context, tx *sql.Tx, t Tables, changes []*change) error {
	const columns = 13
	args := make([]any, 0, columns*len(changes))
	for _, c := range changes {
		a := &c.next
		ordinal, _ := a.Type.Ordinal() // there is one: the opening was taken
		args = append(args, a.ID, a.Holder, mysqlMoment(a.CreatedAt), ordinal, a.Balance.Amount(), a.Balance.Currency().Code(),
			string(a.Status), a.Version, a.EventID, a.Position, mysqlMoment(a.UpdatedAt), units(a.Balance), mysqlDecimals(a.Balance))
	}
	// A row that is there already stays as it is, and is not counted.
	//nolint:gosec // checked names and question marks are put together, here and below
	result, err := tx.ExecContext(ctx, `INSERT INTO `+t.Account+` (id, account_holder, creation_date, account_type, balance, currency,
		status, version, event_id, position, updated_at, balance_units, decimals) VALUES `+
		rowsOf("(", columns, len(changes))+` ON DUPLICATE KEY UPDATE version = `+t.Account+`.version`, args...)
	return wantChanged(result, err, changes)
}

func mysqlUpdateAccounts(ctx context.Context, tx *sql.Tx, t Tables, changes []*change) error {
	const columns = 9
	args := make([]any, 0, columns*len(changes))
	for _, c := range changes {
		a := &c.next
		args = append(args, a.ID, c.expected, string(a.Status), a.Balance.Amount(), units(a.Balance),
			a.Version, a.EventID, a.Position, mysqlMoment(a.UpdatedAt))
	}
	//nolint:gosec // as above
	result, err := tx.ExecContext(ctx, `UPDATE (VALUES `+rowsOf("ROW(", columns, len(changes))+`)
			AS v (id, expected, status, balance, balance_units, version, event_id, position, updated_at)
		STRAIGHT_JOIN `+t.Account+` AS a ON a.id = v.id AND a.version = v.expected
		SET a.status = v.status, a.balance = v.balance, a.balance_units = v.balance_units, a.version = v.version,
			a.event_id = v.event_id, a.position = v.position, a.updated_at = v.updated_at`, args...)
	return wantChanged(result, err, changes)
}

// wantChanged wants each of the rows to have had the version that was expected.
func wantChanged(result sql.Result, err error, changes []*change) error {
	first, last := changes[0].next.ID, changes[len(changes)-1].next.ID
	if err != nil {
		return fmt.Errorf("write accounts %s to %s: %w", first, last, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("write accounts %s to %s: %w", first, last, err)
	}
	if changed != int64(len(changes)) {
		return fmt.Errorf("%w: of %d accounts from %s to %s, %d are as they were read",
			ErrVersion, len(changes), first, last, changed)
	}
	return nil
}

func mysqlInsertEntries(ctx context.Context, tx *sql.Tx, t Tables, changes []*change) error {
	const columns = 11
	var rows [][]any
	for _, c := range changes {
		for _, e := range c.entries {
			var since sql.NullString // as the event's own time
			if !e.since.Equal(e.Time) {
				since = sql.NullString{String: mysqlMoment(e.since), Valid: true}
			}
			rows = append(rows, []any{c.next.ID, e.Version, e.EventID, mysqlMoment(e.Time), string(e.Kind), amountOrNull(e.Amount),
				e.Balance.Amount(), mysqlDecimals(e.Balance), textOrNull(e.Reference), e.Position, since})
		}
	}
	for some := range slices.Chunk(rows, mysqlRowsMax) {
		//nolint:gosec // as above
		_, err := tx.ExecContext(ctx, `INSERT INTO `+t.Entry+` (account_id, version, event_id, time, kind, amount, balance, decimals,
			reference, position, since) VALUES `+rowsOf("(", columns, len(some)), slices.Concat(some...)...)
		if err != nil {
			return fmt.Errorf("insert entries of accounts %s to %s: %w", some[0][0], some[len(some)-1][0], err)
		}
	}
	return nil
}

// rowsOf returns the parameters of rows, each begun by open.
func rowsOf(open string, columns, rows int) string {
	one := open + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + "),"
	return strings.TrimSuffix(strings.Repeat(one, rows), ",")
}
