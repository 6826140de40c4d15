package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Begin implements projection.Lines. The names of indexes are one set in a
// file, and an index keeps its name when its table is renamed: create gives
// each a name that no line before had. No view or trigger may name a model's
// table; renaming would change it.
func (s *ProjectionStore) Begin(
	ctx context.Context, id string, tables []string,
	create func(ctx context.Context, tx *sql.Tx, next map[string]string) error,
) error {
	if err := errors.Join(checkTables(tables), checkLineID(id)); err != nil {
		return err
	}
	for begun := false; !begun; {
		err := s.Update(ctx, func(tx *sql.Tx) (err error) {
			begun, err = s.begin(ctx, tx, id, tables, create)
			return err
		})
		if err == nil {
			err = s.removeOld(ctx)
		}
		if err != nil {
			return err
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

// begin retires a next line that there is, or makes one where there is none.
func (s *ProjectionStore) begin(
	ctx context.Context, tx *sql.Tx, id string, tables []string,
	create func(ctx context.Context, tx *sql.Tx, next map[string]string) error,
) (begun bool, err error) {
	if err := isUnused(ctx, tx, id); err != nil {
		return false, err
	}
	before, found, err := findLine(ctx, tx, "next")
	if err != nil {
		return false, err
	}
	if found {
		return false, retire(ctx, tx, before, nextPrefix)
	}
	list, err := json.Marshal(append([]string{}, tables...))
	if err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO line (id, state, tables) VALUES (?, 'next', ?)`, id, string(list)); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, nextNames.Replace(projectionTables)); err != nil {
		return false, err
	}
	names := make(map[string]string, len(tables))
	for _, table := range tables {
		names[table] = nextPrefix + table
	}
	if err := create(ctx, tx, names); err != nil {
		return false, err
	}
	return true, wereMade(ctx, tx, names)
}

// wereMade wants the tables to be there: a line without them could neither be
// swapped nor removed.
func wereMade(ctx context.Context, tx *sql.Tx, names map[string]string) error {
	for _, name := range names {
		var there bool
		err := tx.QueryRowContext(ctx,
			`SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)`, name).Scan(&there)
		if err == nil && !there {
			err = fmt.Errorf("table %s of the next line was not made", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isUnused(ctx context.Context, tx *sql.Tx, id string) error {
	var used bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM line WHERE id = ?)`, id).Scan(&used)
	if err == nil && used {
		err = fmt.Errorf("there has been a line %s before: give each an id of its own", id)
	}
	return err
}

// Swap implements projection.Lines. The old tables are removed behind it, as
// far as that succeeds, and otherwise with the next Begin or opening. Queries
// go on all the while; writers wait, for each table and index, as long as it
// takes to read it.
func (s *ProjectionStore) Swap(
	ctx context.Context, id string, tables []string, check func(ctx context.Context, tx *sql.Tx) error,
) error {
	err := s.Update(ctx, func(tx *sql.Tx) error {
		next, err := findNext(ctx, tx, id, tables)
		if err != nil {
			return err
		}
		if err := check(ctx, tx); err != nil {
			return err
		}
		return swap(ctx, tx, next)
	})
	if err == nil {
		// The swap has taken place, whatever becomes of this.
		_ = s.removeOld(ctx)
	}
	return err
}

func swap(ctx context.Context, tx *sql.Tx, next line) error {
	live, found, err := findLine(ctx, tx, "live")
	if err == nil && !found {
		err = errors.New("the table of lines names none that is live")
	}
	if err != nil {
		return err
	}
	live.tables = next.tables // the live line may be older than the notes about its tables
	if _, err := tx.ExecContext(ctx, `UPDATE line SET tables = (SELECT tables FROM line WHERE number = ?) WHERE number = ?`,
		next.number, live.number); err != nil {
		return err
	}
	if err := retire(ctx, tx, live, ""); err != nil {
		return err
	}
	for _, table := range slices.Concat(ownTables, next.tables) {
		if err := rename(ctx, tx, nextPrefix+table, table); err != nil {
			return err
		}
	}
	return setState(ctx, tx, next.number, "live")
}

// Drop implements projection.Lines.
func (s *ProjectionStore) Drop(ctx context.Context, id string, tables []string) error {
	err := s.Update(ctx, func(tx *sql.Tx) error {
		next, err := findNext(ctx, tx, id, tables)
		if err != nil {
			return err
		}
		return retire(ctx, tx, next, nextPrefix)
	})
	if err != nil {
		return err
	}
	return s.removeOld(ctx)
}

// retire takes a line out of use: its tables, whose names begin with prefix, get
// names under which nobody looks for them.
func retire(ctx context.Context, tx *sql.Tx, l line, prefix string) error {
	for _, table := range slices.Concat(ownTables, l.tables) {
		if err := rename(ctx, tx, prefix+table, oldName(l.number, table)); err != nil {
			return err
		}
	}
	return setState(ctx, tx, l.number, "old")
}

func oldName(number int64, table string) string { return fmt.Sprintf("old_%d_%s", number, table) }

func rename(ctx context.Context, tx *sql.Tx, from, to string) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`ALTER TABLE "%s" RENAME TO "%s"`, from, to))
	return err
}

// removeOld removes what lines that are not used any more left behind, also what
// another process, which died, did. Each index and each table is dropped in a
// transaction of its own: of a table with a million rows and two indexes, that
// held up writers for some tens of milliseconds each, where deleting the rows
// bit by bit took half a minute, at times with longer waits.
func (s *ProjectionStore) removeOld(ctx context.Context) error {
	for {
		if s.removing != nil {
			if err := s.removing(); err != nil {
				return err
			}
		}
		var statement string
		err := s.Update(ctx, func(tx *sql.Tx) (err error) {
			if statement, err = nextRemoval(ctx, tx); err != nil || statement == "" {
				return err
			}
			_, err = tx.ExecContext(ctx, statement)
			return err
		})
		if err != nil || statement == "" {
			return err
		}
	}
}

// nextRemoval returns the statement that removes one more piece of an old line,
// "" if there is none.
func nextRemoval(ctx context.Context, tx *sql.Tx) (statement string, err error) {
	old, found, err := findLine(ctx, tx, "old")
	if err != nil || !found {
		return "", err
	}
	for _, table := range slices.Concat(old.tables, ownTables) {
		var kind, name string
		// Indexes that belong to a constraint go with their table: they have no sql.
		err := tx.QueryRowContext(ctx, `SELECT type, name FROM sqlite_schema
			WHERE tbl_name = ? AND type IN ('index', 'table') AND sql IS NOT NULL
			ORDER BY type = 'table' LIMIT 1`, oldName(old.number, table)).Scan(&kind, &name)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return "", err
		}
		return fmt.Sprintf(`DROP %s "%s"`, kind, strings.ReplaceAll(name, `"`, `""`)), nil
	}
	return fmt.Sprintf(`UPDATE line SET state = 'gone' WHERE number = %d`, old.number), nil
}
