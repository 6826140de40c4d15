package readmodel_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
)

const (
	benchAccounts = 2000
	benchBatch    = 500 // events in a transaction, as a projection takes them
)

// BenchmarkModel_Apply writes batches of deposits, each into another account.
// BenchmarkBare writes the same rows from values that are ready, without
// decoding, reading or comparing: with statements of many rows, and row by row
// with prepared ones. All report events a second: each is a row of bank_account
// and one of account_entry.
func BenchmarkModel_Apply(b *testing.B) {
	s, h := benchScene(b)
	for b.Loop() {
		b.StopTimer()
		batches := h.round()
		b.StartTimer()
		for _, batch := range batches {
			require.NoError(b, s.apply(batch...))
		}
	}
	b.ReportMetric(float64(b.N*benchAccounts)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkBare(b *testing.B) {
	for _, rows := range []int{1, 10, 100} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) { benchBare(b, rows) })
	}
}

func benchBare(b *testing.B, rows int) {
	b.Helper()
	upsert := `INSERT INTO bank_account (id, account_holder, creation_date, account_type, balance, currency, status, version, event_id,
			position, updated_at, balance_units) VALUES ` + values(rows, 12) + `
		ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, balance_units = excluded.balance_units, status = excluded.status,
			version = excluded.version, event_id = excluded.event_id, position = excluded.position, updated_at = excluded.updated_at
		WHERE bank_account.version < excluded.version`
	insert := `INSERT INTO account_entry (account_id, version, event_id, time, kind, amount, balance, reference, position) VALUES ` +
		values(rows, 9)
	s, h := benchScene(b)
	for b.Loop() {
		b.StopTimer()
		batches := h.round()
		b.StartTimer()
		for _, batch := range batches {
			require.NoError(b, s.store.Update(b.Context(), func(tx *sql.Tx) error {
				accounts, entries := must(tx.Prepare(upsert)), must(tx.Prepare(insert))
				for ; len(batch) > 0; batch = batch[rows:] {
					if err := bareRows(accounts, entries, batch[:rows]); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	b.ReportMetric(float64(b.N*benchAccounts)/b.Elapsed().Seconds(), "events/s")
}

func bareRows(upsert, insert *sql.Stmt, events []event.Envelope) error {
	const at, balance = "2026-11-22T06:23:01.949000Z", "112.50"
	accounts, entries := make([]any, 0, 12*len(events)), make([]any, 0, 9*len(events))
	for _, e := range events {
		units := 1_125_000 + e.Version*100 // as an index sees it: another one each time
		text := fmt.Sprintf("%d.%02d", units/10_000, units/100%100)
		accounts = append(accounts, e.Stream, "Holder", at, 0, text, "EUR", "OPEN", e.Version, e.ID, e.Position, at, units)
		entries = append(entries, e.Stream, e.Version, e.ID, at, "DEPOSITED", "12.50", balance, nil, e.Position)
	}
	if _, err := upsert.Exec(accounts...); err != nil {
		return err
	}
	_, err := insert.Exec(entries...)
	return err
}

func values(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

type benchHistory struct{ *history }

func benchScene(b *testing.B) (*scene, benchHistory) {
	b.Helper()
	s, h := newScene(b), newHistory()
	for i := range benchAccounts {
		h.open(benchID(i), "Holder", money("1.00 EUR"))
	}
	require.NoError(b, s.apply(h.events...))
	return s, benchHistory{h}
}

func benchID(i int) string {
	return fmt.Sprintf("97ebd5d8-9c2f-4dda-b59a-%012d", i*7919%benchAccounts)
}

// round deposits into every account.
func (h benchHistory) round() (batches [][]event.Envelope) {
	h.events = h.events[:0:0]
	for i := range benchAccounts {
		if i%benchBatch == 0 {
			batches = append(batches, nil)
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], h.deposit(benchID(i), money("0.01 EUR")))
	}
	return batches
}
