package bench

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"passbook/bank/readmodel"
	"passbook/bench/load"
	"passbook/es/bus"
	"passbook/es/event"
)

// bareRows writes the rows that a projection has written, in transactions of as
// many events, to tables of the same form: upserts of accounts and inserts of
// entries, many rows a statement. On MySQL there are as many writers as there are
// partitions, on SQLite there can only be one.
type bareRows struct {
	*bench

	accounts, entries table
	lanes             [][]rowBatch // by writer
	events, batch     int
	dialect           readmodel.Dialect
}

// rowBatch is the rows of one transaction.
type rowBatch struct{ accounts, entries [][]any }

// bareRows reads what a projection has made of events, to write it again.
func (b *bench) bareRows(ctx context.Context, setting string, events []event.Envelope, batch int) (*bareRows, error) {
	db, closeDB, err := openRows(ctx, setting)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	r := &bareRows{bench: b, events: len(events), batch: batch, dialect: readmodel.SQLite}
	writers := int32(1)
	if engineName(setting) == "MySQL" {
		r.dialect, writers = readmodel.MySQL, b.config.Broker.Partitions
	}
	if r.accounts, err = selectAll(ctx, db, "bank_account"); err != nil {
		return nil, err
	}
	if r.entries, err = selectAll(ctx, db, "account_entry"); err != nil {
		return nil, err
	}
	if len(r.entries.rows) != len(events) {
		return nil, fmt.Errorf("the read model has %d entries of %d events", len(r.entries.rows), len(events))
	}
	r.cut(events, writers)
	return r, nil
}

// cut sorts the rows into batches, in the order of the events.
func (r *bareRows) cut(events []event.Envelope, writers int32) {
	accounts := make(map[string][]any, len(r.accounts.rows))
	for id, row := r.accounts.column("id"), 0; row < len(r.accounts.rows); row++ {
		accounts[fmt.Sprint(r.accounts.rows[row][id])] = r.accounts.rows[row]
	}
	entries := make(map[string][]any, len(r.entries.rows))
	for id, row := r.entries.column("event_id"), 0; row < len(r.entries.rows); row++ {
		entries[fmt.Sprint(r.entries.rows[row][id])] = r.entries.rows[row]
	}
	lanes := make([][]event.Envelope, writers)
	for _, e := range events {
		lane := bus.Partition(e.Stream, writers)
		lanes[lane] = append(lanes[lane], e)
	}
	for _, lane := range lanes {
		var batches []rowBatch
		for chunk := range slices.Chunk(lane, r.batch) {
			var batch rowBatch
			seen := make(map[string]bool)
			for _, e := range chunk {
				batch.entries = append(batch.entries, entries[e.ID])
				if !seen[e.Stream] {
					seen[e.Stream] = true
					batch.accounts = append(batch.accounts, accounts[e.Stream])
				}
			}
			batches = append(batches, batch)
		}
		r.lanes = append(r.lanes, batches)
	}
}

func (r *bareRows) is() string {
	return fmt.Sprintf("bare multi-row upserts of the same rows, %d events a transaction, %d writers", r.batch, len(r.lanes))
}

// write is one pass into empty tables.
func (r *bareRows) write(ctx context.Context) (_ load.Outcome, err error) {
	setting, err := r.newReadDB(ctx)
	if err != nil {
		return load.Outcome{}, err
	}
	side, _, err := openReadDB(ctx, setting)
	if err != nil {
		return load.Outcome{}, err
	}
	defer func() { _ = side.Close() }() // what it wrote is dropped
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var writers sync.WaitGroup
	began := time.Now()
	for _, lane := range r.lanes {
		writers.Go(func() {
			for _, batch := range lane {
				if err := r.writeBatch(ctx, side.DB(), batch); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	writers.Wait()
	return load.Outcome{Done: int64(r.events), Elapsed: time.Since(began)}, context.Cause(ctx)
}

func (r *bareRows) writeBatch(ctx context.Context, db *sql.DB, batch rowBatch) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("bare upserts: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := r.insert(ctx, tx, "bank_account", r.accounts.columns, batch.accounts, r.orUpdate()); err != nil {
		return err
	}
	if err := r.insert(ctx, tx, "account_entry", r.entries.columns, batch.entries, ""); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("bare upserts: %w", err)
	}
	return nil
}

func (r *bareRows) insert(ctx context.Context, tx *sql.Tx, table string, columns []string, rows [][]any, orUpdate string) error {
	most := sqliteRows
	if r.dialect == readmodel.MySQL {
		most = 500
	}
	for some := range slices.Chunk(rows, most) {
		if _, err := tx.ExecContext(ctx, insertInto(table, columns, len(some))+orUpdate, slices.Concat(some...)...); err != nil {
			return fmt.Errorf("bare upserts: %s: %w", table, err)
		}
	}
	return nil
}

// orUpdate is what makes an insert of accounts an upsert.
func (r *bareRows) orUpdate() string {
	form, before := " ON CONFLICT (id) DO UPDATE SET ", "excluded."
	if r.dialect == readmodel.MySQL {
		form, before = " AS new ON DUPLICATE KEY UPDATE ", "new."
	}
	var sets []string
	for _, column := range []string{"balance", "balance_units", "status", "version", "event_id", "position", "updated_at"} {
		sets = append(sets, column+" = "+before+column)
	}
	return form + strings.Join(sets, ", ")
}
