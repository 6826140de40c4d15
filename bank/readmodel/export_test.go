package readmodel

import (
	"context"
	"database/sql"
)

// Statements returns every SQL statement by name, for the tests that look at how
// the database carries them out.
func Statements(d Dialect) (map[string]string, error) {
	s, err := d.statements(LiveTables())
	return map[string]string{
		"severalCurrencies": s.severalCurrencies, "since": s.since, "asOf": s.asOf, "closed": s.closed, "entries": s.entries,
		"positionMax": s.positionMax, "positionCount": s.positionCount, "positions": s.positions,
		"heads": s.heads, "rows": s.rows, "eventIDs": s.eventIDs,
		"insertAccount": s.insertAccount, "updateAccount": s.updateAccount, "updateStatus": s.updateStatus, "insertEntry": s.insertEntry,
		"ping": s.ping, "byID": s.byID,
		"all": s.all.rows, "all/count": s.all.count,
		"byHolder": s.byHolder.rows, "byHolder/count": s.byHolder.count,
		"above": s.above.rows, "above/count": s.above.count,
		"below": s.below.rows, "below/count": s.below.count,
	}, err
}

// PageStatement returns the SQL of a page with its arguments.
func PageStatement(d Dialect, q *PageQuery) (query string, args []any, err error) {
	s, err := d.statements(LiveTables())
	if err != nil {
		return "", nil, err
	}
	query, args = s.page(q)
	return query, args, nil
}

// WholeMax is the length up to which a list is read at once; PositionsMax and
// AsideMax are what ReachedPosition looks at in one go.
const (
	WholeMax     = wholeMax
	PositionsMax = positionsMax
	AsideMax     = asideMax
)

// WriteOnMySQL writes an account's row as one that was read at a version, or that
// was not there.
func WriteOnMySQL(ctx context.Context, tx *sql.Tx, a Account, expected int64) error {
	return mysqlWriter(LiveTables())(ctx, tx, []*change{{expected: expected, next: a}})
}

// View is view.
func (r *Reader) View(ctx context.Context, fn func(tx *sql.Tx) error) error { return r.view(ctx, fn) }
