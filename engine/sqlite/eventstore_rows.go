package sqlite

import (
	"database/sql"
	"fmt"
	"strings"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// rowsMax is how many rows a statement has at most. Statements of many rows are
// faster than many statements, up to about here.
const rowsMax = 64

// runs cuts n rows into statements of rowsMax rows, and the rest into powers of
// two: so there are few different statements, and each is prepared once.
func runs(n int, do func(from, size int) error) error {
	size := rowsMax
	for from := 0; from < n; from += size {
		for size > n-from {
			size /= 2
		}
		if err := do(from, size); err != nil {
			return err
		}
	}
	return nil
}

// values returns size rows of placeholders: "(?,?),(?,?)".
func values(size, columns int) string {
	row := "(" + strings.Repeat("?,", columns-1) + "?)"
	return strings.Repeat(row+",", size-1) + row
}

func (tx *transaction) insert(table, columns string, n int, row func(args []any, i int) []any) error {
	width := countColumns(columns)
	return runs(n, func(from, size int) error {
		args := make([]any, 0, size*width)
		for i := range size {
			args = row(args, from+i)
		}
		return tx.exec(fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, columns, values(size, width)), args...)
	})
}

func (a *appending) insertEvents(commits []eventstore.Commit) error {
	events := make([]event.Envelope, 0, a.next-a.first)
	for i := range commits {
		for _, e := range commits[i].Events {
			e.Position = a.first + int64(len(events))
			events = append(events, e)
		}
	}
	return a.insert("event", eventColumns, len(events), func(args []any, i int) []any {
		return appendEvent(args, &events[i])
	})
}

func (a *appending) insertKeys(commits []eventstore.Commit) error {
	var records []eventstore.KeyRecord
	for i := range commits {
		if !commits[i].Key.IsZero() {
			records = append(records, a.record(i))
		}
	}
	return a.insert("idempotency_key", keyColumns, len(records), func(args []any, i int) []any {
		return appendKey(args, &records[i])
	})
}

// readVersions returns the versions of the group's streams. Each is one search
// in the index: a GROUP BY would walk through all events of a stream.
func (a *appending) readVersions() (map[string]int64, error) {
	versions := make(map[string]int64, len(a.group))
	var streams []string
	for i := range a.group {
		stream := a.group[i].Stream
		if _, ok := versions[stream]; !ok {
			versions[stream] = event.NoVersion
			streams = append(streams, stream)
		}
	}
	err := runs(len(streams), func(from, size int) error {
		args := make([]any, size)
		for i := range size {
			args[i] = streams[from+i]
		}
		query := "WITH asked (stream) AS (VALUES " + values(size, 1) + ") " +
			"SELECT stream, (SELECT max(version) FROM event WHERE event.stream = asked.stream) FROM asked"
		return a.query(query, args, func(rows *sql.Rows) error {
			var stream string
			var version sql.NullInt64
			err := rows.Scan(&stream, &version)
			if version.Valid {
				versions[stream] = version.Int64
			}
			return err
		})
	})
	return versions, err
}

// number returns the number that a query finds, or 0.
func (tx *transaction) number(query string, args ...any) (n int64, err error) {
	err = tx.query(query, args, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}
