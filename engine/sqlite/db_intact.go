package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// stillThere returns an error unless the open file is the one at its path. A
// file that was moved or removed can be written to as long as it is open, and
// what is written there is gone, or lies where nobody looks for it.
func (d *database) stillThere() error {
	if d.file == nil {
		return nil // it is only read
	}
	info, err := os.Stat(d.path)
	switch {
	case err != nil:
		err = fmt.Errorf("it was moved or removed while it is open: put it back: %w", err)
	case !os.SameFile(info, d.file):
		err = errors.New("another file was put in its place while it is open: start again")
	default:
		return nil
	}
	return d.wrap(err)
}

// made matches what a schema makes.
var made = regexp.MustCompile(`(?m)^CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)`)

// rowQuerier is a connection or a pool.
type rowQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// checkWhole wants all tables and indexes of a kind to be there. Without its
// unique indexes an event store would take anything; somebody has been at work
// there by hand.
func checkWhole(ctx context.Context, k kind, conn rowQuerier) error {
	rows, err := conn.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'index')`)
	names, err := collectRows(rows, err, func(row projectionRow) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	})
	if err != nil {
		return err
	}
	var missing []string
	for _, match := range made.FindAllStringSubmatch(strings.Join(k.schema, "\n"), -1) {
		if !slices.Contains(names, match[1]) {
			missing = append(missing, match[1])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("tables or indexes were removed by hand: %s: put back a back-up", strings.Join(missing, ", "))
	}
	return nil
}
