package mysql

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

// nextPrefix stands before the names of tables of the next line.
const nextPrefix = "next_"

// numberTable says of which line the tables beside it are. It is renamed in the
// same statement as they are, so that it is always right: an entry elsewhere
// would be committed before or behind the renaming, and a death between the two
// would leave it wrong.
const numberTable = "line_number"

// ownTables are the store's own tables that belong to a line.
var ownTables = []string{"checkpoint", "parked_stream", "parked_event", numberTable} //nolint:gochecknoglobals // a constant, had Go any of slices

// liveNames and nextNames put the names of the tables of a line into a statement.
//
//nolint:gochecknoglobals // they are never written to
var (
	liveNames = namesWith("")
	nextNames = namesWith(nextPrefix)
)

func namesWith(prefix string) *strings.Replacer {
	var pairs []string
	for _, table := range ownTables {
		pairs = append(pairs, "{"+table+"}", prefix+table)
	}
	return strings.NewReplacer(pairs...)
}

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
		coalesce((SELECT id FROM line JOIN line_number USING (number)), ''),
		coalesce((SELECT id FROM line JOIN next_line_number USING (number)), '')`).Scan(&live, &next)
	return live, next, err
}

// line is a row of the table of lines.
type line struct {
	number int64
	id     string
	tables []string
}

// queryer is a transaction, or a connection.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// findLine returns the line whose number the table numbers holds.
func findLine(ctx context.Context, on queryer, numbers string) (l line, found bool, err error) {
	var tables string
	err = on.QueryRowContext(ctx, `SELECT number, id, tables FROM line JOIN `+numbers+` USING (number)`).
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
func findNext(ctx context.Context, on queryer, id string, tables []string) (line, error) {
	next, found, err := findLine(ctx, on, nextPrefix+numberTable)
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

// tableName leaves no doubt about where a name ends in a statement, and room for
// what is put before it: a name has 64 characters at most.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,44}$`)

func checkTables(tables []string) error {
	for i, name := range tables {
		if !tableName.MatchString(name) || slices.Contains(ownTables, name) || slices.Contains(tables[:i], name) {
			return fmt.Errorf("%q cannot be a table of a model", name)
		}
	}
	return nil
}

func checkLineID(id string) error {
	if id == "" {
		return errors.New("a line has to have an id")
	}
	return nil
}
