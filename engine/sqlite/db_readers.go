package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// readers is a pool of connections that read. Each read is short: one that went
// on for long would keep the write-ahead log from being carried over, and the
// log would grow as long.
type readers struct {
	pool *sql.DB
	mu   sync.Mutex
	stmt map[string]*sql.Stmt
}

func openReaders(ctx context.Context, path, mode string, pragmas []pragma) (*readers, error) {
	pool, err := newPool(path, mode, poolSize(), pragmas)
	if err != nil {
		return nil, err
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, withClose(err, pool.Close())
	}
	return &readers{pool: pool, stmt: make(map[string]*sql.Stmt)}, nil
}

func (r *readers) query(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := r.prepared(ctx, query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

func (r *readers) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stmt, ok := r.stmt[query]; ok {
		return stmt, nil
	}
	stmt, err := r.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.stmt[query] = stmt
	return stmt, nil
}

func scanAll(rows *sql.Rows, scan func(*sql.Rows) error) error {
	for rows.Next() {
		if err := scan(rows); err != nil {
			return withClose(err, rows.Close())
		}
	}
	return withClose(rows.Err(), rows.Close())
}

// inspect tells whether a file that is only read is of kind k, with tables that
// this program can read.
func (r *readers) inspect(ctx context.Context, k kind) error {
	conn, err := r.pool.Conn(ctx)
	if err != nil {
		return err
	}
	version, err := inspect(ctx, k, conn)
	if err == nil && version < len(k.schema) {
		err = fmt.Errorf("its tables have version %d, and this program reads version %d: "+
			"start the program that writes to it first", version, len(k.schema))
	}
	if err == nil && k.whole {
		err = checkWhole(ctx, k, conn)
	}
	return withClose(err, conn.Close())
}
