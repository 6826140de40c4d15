package readmodel

import (
	"context"
	"database/sql"

	"passbook/es/verify"
)

// How much a page of a comparison brings at most.
const (
	verifyRowsMax    = 256
	verifyEntriesMax = 4096
)

// Cells of rows and entries, in the order in which they are selected; before
// them comes the account's id.
var (
	verifyRowColumns = []string{ //nolint:gochecknoglobals // a constant, had Go any of slices
		"account_holder", "creation_date", "account_type", "balance", "currency",
		"status", "version", "event_id", "position", "updated_at", "balance_units",
	}
	verifyEntryColumns = []string{ //nolint:gochecknoglobals // as above
		"version", "event_id", "time", "kind", "amount", "balance", "reference", "position", "since",
	}
)

// verifyStatements are the queries of a comparison.
type verifyStatements struct {
	// rowsFrom and rowsAfter take an id, included or not, and a limit.
	rowsFrom, rowsAfter string
	// entries takes the place behind which it begins, as place has it, the last
	// id, and a limit; entriesAll goes on to the end of the table.
	entries, entriesAll string
	place               func(after verify.Cursor) []any
}

// sqliteVerifyStatements: both tables are read in the order of their primary
// keys.
func sqliteVerifyStatements(t Tables) verifyStatements {
	const row = `SELECT id, account_holder, creation_date, account_type, balance, currency, status, version, event_id, position,
		updated_at, balance_units FROM `
	entry := `SELECT account_id, version, event_id, time, kind, amount, balance, reference, position, since FROM ` + t.Entry +
		` WHERE (account_id, version) > (?, ?)`
	const order = ` ORDER BY account_id, version LIMIT ?`
	return verifyStatements{
		rowsFrom:   row + t.Account + ` WHERE id >= ? ORDER BY id LIMIT ?`,
		rowsAfter:  row + t.Account + ` WHERE id > ? ORDER BY id LIMIT ?`,
		entries:    entry + ` AND account_id <= ?` + order,
		entriesAll: entry + order,
		place:      func(after verify.Cursor) []any { return []any{after.Stream, after.Version} },
	}
}

// namedRow and namedEntry are what a statement brings, with the account's id.
type (
	namedRow struct {
		id string
		verify.Row
	}
	namedEntry struct {
		id string
		verify.Entry
	}
)

// Page implements verify.View: rows and entries are two lists in the order of
// the accounts' ids, and become one.
func (v *verifyView) Page(ctx context.Context, after verify.Cursor) (verify.Page, error) {
	rows, err := v.verifyRows(ctx, after)
	if err != nil {
		return verify.Page{}, wrapVerify("rows", err)
	}
	areLastRows := len(rows) < verifyRowsMax
	entries, err := v.verifyEntries(ctx, after, rows, areLastRows)
	if err != nil {
		return verify.Page{}, wrapVerify("entries", err)
	}
	if len(entries) == verifyEntriesMax {
		// The last account may have more, and the rows behind it have theirs in
		// the next page.
		last := entries[len(entries)-1]
		page := verify.Page{Parts: mergeParts(rows, entries, last.id), Next: &verify.Cursor{Stream: last.id, Version: last.Version}}
		page.Parts[len(page.Parts)-1].More = true
		return page, nil
	}
	page := verify.Page{Parts: mergeParts(rows, entries, "")}
	if !areLastRows {
		page.Next = &verify.Cursor{Stream: rows[len(rows)-1].id, Version: verify.EndVersion}
	}
	return page, nil
}

func (v *verifyView) verifyRows(ctx context.Context, after verify.Cursor) (all []namedRow, err error) {
	query := v.sql.rowsFrom
	if after.Version == verify.EndVersion {
		query = v.sql.rowsAfter
	}
	err = v.list(ctx, query, []any{after.Stream, verifyRowsMax}, func(r row) error {
		one := namedRow{Row: verify.Row{Cells: make([]string, len(verifyRowColumns))}}
		c := one.Cells
		err := r.Scan(&one.id, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &one.Version, &c[7], &one.Position, &c[9], &c[10])
		c[6], c[8] = number(one.Version), number(one.Position)
		all = append(all, one)
		return err
	})
	return all, err
}

// verifyEntries reads the entries of the rows, and those between them that have
// no row.
func (v *verifyView) verifyEntries(
	ctx context.Context, after verify.Cursor, rows []namedRow, areLastRows bool,
) (all []namedEntry, err error) {
	query, args := v.sql.entriesAll, v.sql.place(after)
	if !areLastRows {
		query, args = v.sql.entries, append(args, rows[len(rows)-1].id)
	}
	err = v.list(ctx, query, append(args, verifyEntriesMax), func(r row) error {
		one := namedEntry{Entry: verify.Entry{Cells: make([]string, len(verifyEntryColumns))}}
		c := one.Cells
		var amount, reference, since sql.NullString
		err := r.Scan(&one.id, &one.Version, &c[1], &c[2], &c[3], &amount, &c[5], &reference, &c[7], &since)
		c[0], c[4], c[6], c[8] = number(one.Version), quoted(amount), quoted(reference), quoted(since)
		all = append(all, one)
		return err
	})
	return all, err
}

func (v *verifyView) list(ctx context.Context, query string, args []any, scan func(row) error) error {
	rows, err := v.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error, if there is one
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// mergeParts puts rows and entries of the same accounts together, up to the
// account last, or all for "".
func mergeParts(rows []namedRow, entries []namedEntry, last string) (parts []verify.Part) {
	for len(rows) > 0 || len(entries) > 0 {
		id := ""
		if len(rows) > 0 {
			id = rows[0].id
		}
		if len(entries) > 0 && (len(rows) == 0 || entries[0].id < id) {
			id = entries[0].id
		}
		if last != "" && id > last {
			break
		}
		part := verify.Part{Stream: id}
		if len(rows) > 0 && rows[0].id == id {
			part.Row = &rows[0].Row
			rows = rows[1:]
		}
		for len(entries) > 0 && entries[0].id == id {
			part.Entries = append(part.Entries, entries[0].Entry)
			entries = entries[1:]
		}
		parts = append(parts, part)
	}
	return parts
}
