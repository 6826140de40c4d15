package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Begin implements projection.Lines. Statements that make tables commit what was
// done before them, so that create cannot be taken back; what it leaves behind
// when it fails is removed by the next Begin. No line is there before its tables
// are.
func (s *ProjectionStore) Begin(
	ctx context.Context, id string, tables []string,
	create func(ctx context.Context, tx *sql.Tx, next map[string]string) error,
) error {
	if err := checkTables(tables); err != nil {
		return err
	}
	if err := checkLineID(id); err != nil {
		return err
	}
	return s.alone(ctx, func(turn *sql.Conn) error {
		if err := isUnused(ctx, turn, id); err != nil {
			return err
		}
		before, found, err := findLine(ctx, turn, nextPrefix+numberTable)
		if err == nil && found {
			err = s.retire(ctx, turn, before)
		}
		if err == nil {
			err = removeTables(ctx, turn, oldTables)
		}
		if err == nil {
			err = removeTables(ctx, turn, nextTables) // of a Begin that came to nothing
		}
		if err != nil {
			return err
		}
		return begin(ctx, turn, id, tables, create)
	})
}

func isUnused(ctx context.Context, conn *sql.Conn, id string) error {
	var used bool
	err := conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM line WHERE id = ?)`, id).Scan(&used)
	if err == nil && used {
		err = fmt.Errorf("there has been a line %s before: give each an id of its own", id)
	}
	return err
}

// begin makes the tables, and then the line. All of it is said on the connection
// that has the turn, so that another's tables are never taken for these.
func begin(
	ctx context.Context, turn *sql.Conn, id string, tables []string,
	create func(ctx context.Context, tx *sql.Tx, next map[string]string) error,
) error {
	if err := execAll(ctx, turn, nextNames, lineTables); err != nil {
		return err
	}
	names := make(map[string]string, len(tables))
	for _, table := range tables {
		names[table] = nextPrefix + table
	}
	if err := transact(ctx, turn, func(tx *sql.Tx) error { return create(ctx, tx, names) }); err != nil {
		return err
	}
	if err := wereMade(ctx, turn, names); err != nil {
		return err
	}
	list, err := json.Marshal(append([]string{}, tables...))
	if err != nil {
		return err
	}
	return transact(ctx, turn, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO line (id, tables) VALUES (?, ?)`, id, string(list))
		if err != nil {
			return err
		}
		number, err := result.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO next_line_number (number) VALUES (?)`, number)
		return err
	})
}

// wereMade wants the tables to be there: a line without them could neither be
// swapped nor removed.
func wereMade(ctx context.Context, conn *sql.Conn, names map[string]string) error {
	there, err := tablesLike(ctx, conn, nextTables)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.Contains(there, name) {
			return fmt.Errorf("table %s of the next line was not made", name)
		}
	}
	return nil
}

// Swap implements projection.Lines. check is run once, in a transaction that is
// committed before the tables get their new names: where those cannot be had,
// because queries do not let go of them, what check has written stays, and the
// lines are as they were.
//
// Updates and Views wait meanwhile; other queries for a second at most, time and
// again.
func (s *ProjectionStore) Swap(
	ctx context.Context, id string, tables []string, check func(ctx context.Context, tx *sql.Tx) error,
) error {
	return s.alone(ctx, func(turn *sql.Conn) error {
		next, err := findNext(ctx, turn, id, tables)
		if err != nil {
			return err
		}
		if err := makeSpare(ctx, turn); err != nil {
			return err
		}
		err = s.still(ctx, turn, func(g gates) error { return s.swap(ctx, g, next, check) })
		if err == nil {
			// The swap has taken place, whatever becomes of this.
			_ = removeTables(ctx, turn, oldTables)
		}
		return err
	})
}

func (s *ProjectionStore) swap(
	ctx context.Context, g gates, next line, check func(ctx context.Context, tx *sql.Tx) error,
) error {
	var live line
	err := s.withConn(ctx, func(conn *sql.Conn) error {
		return transact(ctx, conn, func(tx *sql.Tx) (err error) {
			var found bool
			if live, found, err = findLine(ctx, tx, numberTable); err == nil && !found {
				err = fmt.Errorf("the table %s names no line that is live", numberTable)
			}
			if err != nil {
				return err
			}
			return check(ctx, tx)
		})
	})
	if err != nil {
		return err
	}
	var all []renaming
	for _, table := range slices.Concat(ownTables, next.tables) {
		all = append(all, renaming{table, oldName(live.number, table)}, renaming{nextPrefix + table, table})
	}
	return s.rename(ctx, g, append(all, renaming{spareTable, nextPrefix + numberTable}))
}

// Drop implements projection.Lines.
func (s *ProjectionStore) Drop(ctx context.Context, id string, tables []string) error {
	return s.alone(ctx, func(turn *sql.Conn) error {
		next, err := findNext(ctx, turn, id, tables)
		if err == nil {
			err = s.retire(ctx, turn, next)
		}
		if err != nil {
			return err
		}
		return removeTables(ctx, turn, oldTables)
	})
}

// retire takes the next line out of use: its tables get names under which nobody
// looks for them.
func (s *ProjectionStore) retire(ctx context.Context, turn *sql.Conn, next line) error {
	if err := makeSpare(ctx, turn); err != nil {
		return err
	}
	var all []renaming
	for _, table := range slices.Concat(ownTables, next.tables) {
		all = append(all, renaming{nextPrefix + table, oldName(next.number, table)})
	}
	all = append(all, renaming{spareTable, nextPrefix + numberTable})
	return s.still(ctx, turn, func(g gates) error { return s.rename(ctx, g, all) })
}

func oldName(number int64, table string) string { return fmt.Sprintf("old_%d_%s", number, table) }

// spareTable is an empty table of numbers, which takes the place of the next
// line's in the step that takes that away: it is always there to be asked.
const spareTable = "spare_" + numberTable

func makeSpare(ctx context.Context, turn *sql.Conn) error {
	_, err := turn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+spareTable+` LIKE `+nextPrefix+numberTable)
	return err
}

// Tables that are in nobody's use, by their names.
var (
	oldTables  = regexp.MustCompile(`^old_[0-9]+_`)
	nextTables = regexp.MustCompile(`^` + nextPrefix)
)

// tablesLike returns the names of tables, without that of the table that is
// always there.
func tablesLike(ctx context.Context, conn *sql.Conn, pattern *regexp.Regexp) ([]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()`)
	all, err := collectRows(rows, err, func(row row) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	})
	return slices.DeleteFunc(all, func(name string) bool {
		return !pattern.MatchString(name) || name == nextPrefix+numberTable
	}), err
}

// removeTables removes what lines that are not used any more left behind, also
// what another process, which died, did.
func removeTables(ctx context.Context, turn *sql.Conn, pattern *regexp.Regexp) error {
	names, err := tablesLike(ctx, turn, pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := turn.ExecContext(ctx, "DROP TABLE IF EXISTS `"+name+"`"); err != nil {
			return err
		}
	}
	return nil
}
