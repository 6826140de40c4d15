package projectiontest

import (
	"context"
	"database/sql"
	"errors"
)

// SQLRows is Rows on a database that speaks SQL with "?" for parameters. Create
// makes its table.
type SQLRows struct{}

// Create makes the table.
func (SQLRows) Create(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE suite_row (k VARCHAR(200) PRIMARY KEY, v TEXT NOT NULL)`)
	return err
}

// Get implements Rows.
func (SQLRows) Get(ctx context.Context, tx *sql.Tx, key string) (text string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT v FROM suite_row WHERE k = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

// Swap implements Rows. A row that is there instead of none is an error.
func (SQLRows) Swap(ctx context.Context, tx *sql.Tx, key, old, text string) (bool, error) {
	statement, args := `UPDATE suite_row SET v = ? WHERE k = ? AND v = ?`, []any{text, key, old}
	if old == "" {
		statement, args = `INSERT INTO suite_row (v, k) VALUES (?, ?)`, []any{text, key}
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
type KeyValueRows[Tx KeyValueTx] struct{}

const suiteTable = "suite"

// Get implements Rows.
func (KeyValueRows[Tx]) Get(ctx context.Context, tx Tx, key string) (string, error) {
	row, _ := tx.Get(suiteTable, key)
	text, _ := row.(string)
	return text, ctx.Err()
}

// Swap implements Rows.
func (r KeyValueRows[Tx]) Swap(ctx context.Context, tx Tx, key, old, text string) (bool, error) {
	if now, err := r.Get(ctx, tx, key); err != nil || now != old {
		return false, err
	}
	tx.Put(suiteTable, key, text)
	return true, nil
}
