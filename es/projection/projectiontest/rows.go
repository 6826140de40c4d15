package projectiontest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
)

// SQLRows is Rows on a database that speaks SQL with "?" for parameters. Create
// makes its table.
type SQLRows struct {
	// Table is the name of the table, empty for suite_row.
	Table string
}

// Execer runs a statement: a *sql.DB, or a *sql.Tx.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Create makes the table.
func (r SQLRows) Create(ctx context.Context, on Execer) error {
	_, err := on.ExecContext(ctx, `CREATE TABLE `+r.table()+` (k VARCHAR(200) PRIMARY KEY, v TEXT NOT NULL)`)
	return err
}

func (r SQLRows) table() string { return cmp.Or(r.Table, suiteTable) }

// Get implements Rows.
func (r SQLRows) Get(ctx context.Context, tx *sql.Tx, key string) (text string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT v FROM `+r.table()+` WHERE k = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

// Swap implements Rows. A row that is there instead of none is an error.
func (r SQLRows) Swap(ctx context.Context, tx *sql.Tx, key, old, text string) (bool, error) {
	statement, args := `UPDATE `+r.table()+` SET v = ? WHERE k = ? AND v = ?`, []any{text, key, old}
	if old == "" {
		statement, args = `INSERT INTO `+r.table()+` (v, k) VALUES (?, ?)`, []any{text, key}
	}
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// KeyValueTx is a transaction that holds rows by table and key itself.
type KeyValueTx interface {
	// Get returns a row, and whether there is one.
	Get(table, key string) (any, bool)
	// Put writes a row.
	Put(table, key string, row any)
}

// KeyValueRows is Rows in such a transaction.
type KeyValueRows[Tx KeyValueTx] struct {
	// Table is the name of the table, empty for suite_row.
	Table string
}

// suiteTable is the live name of the model's table.
const suiteTable = "suite_row"

// Get implements Rows.
func (r KeyValueRows[Tx]) Get(ctx context.Context, tx Tx, key string) (string, error) {
	row, _ := tx.Get(cmp.Or(r.Table, suiteTable), key)
	text, _ := row.(string)
	return text, ctx.Err()
}

// Swap implements Rows.
func (r KeyValueRows[Tx]) Swap(ctx context.Context, tx Tx, key, old, text string) (bool, error) {
	if now, err := r.Get(ctx, tx, key); err != nil || now != old {
		return false, err
	}
	tx.Put(cmp.Or(r.Table, suiteTable), key, text)
	return true, nil
}
