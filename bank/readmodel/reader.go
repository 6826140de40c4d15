package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
)

var (
	// ErrUnavailable is wrapped by every error that comes from the database or
	// the way to it: nothing is wrong with the question, and asking again may
	// help. A context that has ended is among its causes.
	ErrUnavailable = errors.New("the read DB does not answer")
	// ErrBusy is returned if the context ended while other long lists were read.
	ErrBusy = errors.New("too many long lists are read at this moment")
	// ErrNotFound is returned where there is no account of that id.
	ErrNotFound = errors.New("account not found")
)

// Reader answers questions from the tables, in read-only transactions. What it
// returns is one state of the database, that behind a whole batch of events.
// Safe for concurrent use.
//
// Errors are those above, or tell of a row that no Model wrote.
type Reader struct {
	db  *sql.DB
	sql statements
	// long holds an element for each long list that is read.
	long chan struct{}
	// byID is prepared when it is first needed, for most questions are that one.
	// It lives as long as db.
	byID atomic.Pointer[sql.Stmt]
}

// NewReader returns a reader of the live tables in db, which Migrate has made. It
// is to be the only one of its pool, and the pool to have five connections or
// more: long lists take up two of them for as long as they are read.
func NewReader(db *sql.DB, dialect Dialect) (*Reader, error) {
	statements, err := dialect.statements(LiveTables())
	if err != nil {
		return nil, err
	}
	return &Reader{db: db, sql: statements, long: make(chan struct{}, longMax)}, nil
}

// Ping returns nil if the tables can be read now.
func (r *Reader) Ping(ctx context.Context) error {
	var found bool // or not: it is the answer that counts
	if err := r.db.QueryRowContext(ctx, r.sql.ping).Scan(&found); err != nil {
		return unavailable("ping", err)
	}
	return nil
}

// FindAccountByID returns the account, open or closed, or ErrNotFound.
func (r *Reader) FindAccountByID(ctx context.Context, id string) (Account, error) {
	const question = "find account by id"
	statement, err := r.preparedByID(ctx) //nolint:sqlclosecheck // it stays for the next question
	if err != nil {
		return Account{}, unavailable(question, err)
	}
	a, err := scanAccount(statement.QueryRowContext(ctx, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNotFound
	}
	return a, unavailable(question, err)
}

// preparedByID does not make those wait who come while it prepares: of what they
// prepare themselves, one is kept.
func (r *Reader) preparedByID(ctx context.Context) (*sql.Stmt, error) {
	if statement := r.byID.Load(); statement != nil {
		return statement, nil
	}
	statement, err := r.db.PrepareContext(ctx, r.sql.byID)
	if err != nil {
		return nil, err
	}
	if !r.byID.CompareAndSwap(nil, statement) {
		_ = statement.Close() //nolint:sqlclosecheck // nothing was done with it
		return r.byID.Load(), nil
	}
	return statement, nil
}

// unavailable says which question the database did not answer. Rows that are
// malformed are another matter, and no error is none.
func unavailable(question string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*malformedError](err); ok {
		return fmt.Errorf("%s: %w", question, err)
	}
	return fmt.Errorf("%s: %w: %w", question, ErrUnavailable, err)
}
