package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"passbook/es/projection"
)

var _ projection.Lines[*sql.Tx] = (*ProjectionStore)(nil)

// lineTable has a row for each line that ever was, so that no id comes twice.
// What a line leaves behind has its number in its names, until it is removed.
const lineTable = `
CREATE TABLE line (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	id     TEXT    NOT NULL UNIQUE,
	state  TEXT    NOT NULL CHECK (state IN ('next', 'live', 'old', 'gone')),
	tables TEXT    NOT NULL -- those of the model, by their live names, as JSON
) STRICT;

INSERT INTO line (id, state, tables) VALUES (lower(hex(randomblob(16))), 'live', '[]');
`

// nextPrefix stands before the names of tables of the next line.
const nextPrefix = "next_"

// ownTables are the store's own tables that belong to a line.
var ownTables = []string{"checkpoint", "parked_stream", "parked_event"}

var nextNames = strings.NewReplacer(
	"{checkpoint}", nextPrefix+"checkpoint",
	"{parked_stream}", nextPrefix+"parked_stream",
	"{parked_event}", nextPrefix+"parked_event",
)

// nextStore is the store of the next line.
type nextStore struct{ *ProjectionStore }

// Next implements projection.Lines. Its transactions fail with
// projection.ErrNoLine while there is no next line.
func (s *ProjectionStore) Next() projection.Store[*sql.Tx] {
	next := *s
	next.names = nextNames
	return nextStore{&next}
}

func (s nextStore) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return s.ProjectionStore.Update(ctx, s.begun(ctx, fn))
}

func (s nextStore) View(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return s.ProjectionStore.View(ctx, s.begun(ctx, fn))
}

func (s nextStore) begun(ctx context.Context, fn func(tx *sql.Tx) error) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		if _, next, err := s.Line(ctx, tx); err != nil {
			return err
		} else if next == "" {
			return projection.ErrNoLine
		}
		return fn(tx)
	}
}

// Line implements projection.Lines.
func (s *ProjectionStore) Line(ctx context.Context, tx *sql.Tx) (live, next string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT
		coalesce(max(id) FILTER (WHERE state = 'live'), ''), coalesce(max(id) FILTER (WHERE state = 'next'), '')
		FROM line WHERE state IN ('live', 'next')`).Scan(&live, &next)
	return live, next, err
}

// line is a row of the table of lines.
type line struct {
	number int64
	id     string
	tables []string
}

func findLine(ctx context.Context, tx *sql.Tx, state string) (l line, found bool, err error) {
	var tables string
	err = tx.QueryRowContext(ctx, `SELECT number, id, tables FROM line WHERE state = ? ORDER BY number LIMIT 1`, state).
		Scan(&l.number, &l.id, &tables)
	if errors.Is(err, sql.ErrNoRows) {
		return line{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(tables), &l.tables)
	}
	return l, err == nil, err
}

// findNext returns the next line, if it is the one of that id with those tables.
func findNext(ctx context.Context, tx *sql.Tx, id string, tables []string) (line, error) {
	next, found, err := findLine(ctx, tx, "next")
	switch {
	case err != nil:
		return line{}, err
	case !found || next.id != id:
		return line{}, projection.ErrNoLine
	case !slices.Equal(slices.Sorted(slices.Values(tables)), slices.Sorted(slices.Values(next.tables))):
		return line{}, fmt.Errorf("line %s was begun with the tables %v, not %v", id, next.tables, tables)
	}
	return next, nil
}

func setState(ctx context.Context, tx *sql.Tx, number int64, state string) error {
	_, err := tx.ExecContext(ctx, `UPDATE line SET state = ? WHERE number = ?`, state, number)
	return err
}

// tableName leaves no doubt about where a name ends in a statement.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkTables(tables []string) error {
	for i, name := range tables {
		if !tableName.MatchString(name) || slices.Contains(ownTables, name) || slices.Contains(tables[:i], name) {
			return fmt.Errorf("%q cannot be a table of a model", name)
		}
	}
	return nil
}
