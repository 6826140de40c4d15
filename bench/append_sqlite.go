package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"passbook/bench/load"
	"passbook/es/event"
)

// bareSQLite inserts groups of rows into a table with an event store's indexes,
// each group in a transaction that waits for the disk.
type bareSQLite struct {
	db       *sql.DB
	columns  []string
	template []any // the row that the engine wrote
	group    int
	position int64
	traffic  *traffic
}

// sqliteRows is how many rows a statement writes: more are no faster.
const sqliteRows = 64

func newBareSQLite(ctx context.Context, setting string, group int) (bare, error) {
	if err := writeTemplate(ctx, setting); err != nil {
		return nil, err
	}
	db, err := openSQLite(strings.TrimPrefix(setting, "sqlite:"), "rw",
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-32768)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &bareSQLite{db: db, group: group, position: 1, traffic: newTraffic(accountsPerCaller*group, movesPerAccount)}
	found, err := selectAll(ctx, db, "event")
	if err == nil && len(found.rows) != 1 {
		err = fmt.Errorf("the table of events has %d rows, want 1", len(found.rows))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.columns, s.template = found.columns, found.rows[0]
	return s, nil
}

// openSQLite opens a file that is there.
func openSQLite(path, mode string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"mode": {mode}, "_pragma": pragmas}
	db, err := sql.Open("sqlite", "file:"+strings.ReplaceAll(url.PathEscape(path), "%2F", "/")+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

func (s *bareSQLite) close() { _ = s.db.Close() } // the file is removed next

func (*bareSQLite) is(group int) string {
	return fmt.Sprintf("INSERT of %d rows, %d a statement, a transaction with FULL, same indexes", group, min(group, sqliteRows))
}

func (s *bareSQLite) run(ctx context.Context, d time.Duration) (load.Outcome, error) {
	whole, err := s.prepare(ctx, min(s.group, sqliteRows))
	if err != nil {
		return load.Outcome{}, err
	}
	defer func() { _ = whole.Close() }() // it was used to its end
	rest := whole
	if n := s.group % sqliteRows; s.group > sqliteRows && n > 0 {
		if rest, err = s.prepare(ctx, n); err != nil {
			return load.Outcome{}, err
		}
		defer func() { _ = rest.Close() }() // as above
	}
	return bareGroups(ctx, s.group, d, func(ctx context.Context) error { return s.write(ctx, whole, rest) })
}

func (s *bareSQLite) prepare(ctx context.Context, rows int) (*sql.Stmt, error) {
	statement, err := s.db.PrepareContext(ctx, insertInto("event", s.columns, rows))
	if err != nil {
		return nil, fmt.Errorf("insert events: %w", err)
	}
	return statement, nil
}

// write inserts one group.
func (s *bareSQLite) write(ctx context.Context, whole, rest *sql.Stmt) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	for left := s.group; left > 0; left -= sqliteRows {
		statement := whole
		if left < sqliteRows {
			statement = rest
		}
		args := make([]any, 0, min(left, sqliteRows)*len(s.columns))
		for range min(left, sqliteRows) {
			s.position++
			args = s.row(args, s.traffic.next())
		}
		if _, err := tx.StmtContext(ctx, statement).ExecContext(ctx, args...); err != nil { //nolint:sqlclosecheck // it goes with the transaction
			return fmt.Errorf("insert events: %w", err)
		}
	}
	return tx.Commit()
}

// row is the template with what is each event's own.
func (s *bareSQLite) row(args []any, e event.Envelope) []any {
	for i, column := range s.columns {
		switch column {
		case "position":
			args = append(args, s.position)
		case "stream":
			args = append(args, e.Stream)
		case "version":
			args = append(args, e.Version)
		case "id":
			args = append(args, e.ID)
		default:
			args = append(args, s.template[i])
		}
	}
	return args
}
