package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// table is the rows of a table, as they are.
type table struct {
	columns []string
	rows    [][]any
}

// selectAll reads a table. Texts come as strings, so that writing them again
// writes the same.
func selectAll(ctx context.Context, db *sql.DB, name string) (found table, err error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+name) //nolint:gosec,unqueryvet // a name of ours; whatever columns there are
	if err != nil {
		return table{}, fmt.Errorf("read table %s: %w", name, err)
	}
	defer func() {
		if closed := rows.Close(); err == nil && closed != nil {
			err = fmt.Errorf("read table %s: %w", name, closed)
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return table{}, fmt.Errorf("read table %s: %w", name, err)
	}
	for _, t := range types {
		found.columns = append(found.columns, t.Name())
	}
	for rows.Next() {
		row, into := make([]any, len(types)), make([]any, len(types))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return table{}, fmt.Errorf("read table %s: %w", name, err)
		}
		for i, value := range row {
			if text, ok := value.([]byte); ok && types[i].DatabaseTypeName() != "BLOB" {
				row[i] = string(text)
			}
		}
		found.rows = append(found.rows, row)
	}
	if err := rows.Err(); err != nil {
		return table{}, fmt.Errorf("read table %s: %w", name, err)
	}
	return found, nil
}

// column is the place of a column.
func (t table) column(name string) int {
	for i, column := range t.columns {
		if column == name {
			return i
		}
	}
	return -1
}

// insertInto is a statement that inserts so many rows.
func insertInto(table string, columns []string, rows int) string {
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
		strings.Repeat(row+",", rows-1) + row
}
