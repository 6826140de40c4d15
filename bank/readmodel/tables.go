package readmodel

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Tables names the tables of one line of the read model: those that queries are
// answered from, or those of a line that is being built beside them.
type Tables struct {
	// Account has a row for each account, Entry a row for each applied event.
	Account, Entry string
}

// LiveTables names the tables that queries are answered from. The names stay
// when another line takes their place: its tables get them.
func LiveTables() Tables { return Tables{Account: "bank_account", Entry: "account_entry"} }

// TableNames returns the live names of all tables of a line, as
// projection.Lines wants to be told them.
func TableNames() []string {
	live := LiveTables()
	return []string{live.Account, live.Entry}
}

// NextTables reads the names that projection.Lines gives to the tables of
// another line: by live name, those of TableNames and no others.
func NextTables(next map[string]string) (Tables, error) {
	live := LiveTables()
	t := Tables{Account: next[live.Account], Entry: next[live.Entry]}
	if len(next) != len(TableNames()) {
		return Tables{}, fmt.Errorf("read model: a line has the tables %s, and names for %d were given",
			strings.Join(TableNames(), ", "), len(next))
	}
	return t, t.validate()
}

// tableName leaves no doubt about where a name ends in a statement, and room for
// what the name of an index adds to it.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,44}$`)

func (t Tables) validate() error {
	var faults []error
	for _, one := range []string{t.Account, t.Entry} {
		if !tableName.MatchString(one) {
			faults = append(faults, fmt.Errorf("read model: %q cannot name a table: want up to 45 of A-Z a-z 0-9 _, no digit first", one))
		}
	}
	if t.Account == t.Entry {
		faults = append(faults, fmt.Errorf("read model: %q names two tables", t.Account))
	}
	return errors.Join(faults...)
}

// CreateTables makes the empty tables of another line, in the newest schema, and
// the indexes on them, within tx. They are exactly what Migrate makes of the live
// ones, since it is made from the same text; only the indexes have names of
// their own, of which nothing may depend: a table that is renamed keeps them.
func CreateTables(ctx context.Context, tx *sql.Tx, dialect Dialect, tables Tables) error {
	if err := tables.validate(); err != nil {
		return err
	}
	if tables == LiveTables() {
		return errors.New("read model: the live tables are made by Migrate")
	}
	steps, err := dialect.steps()
	if err != nil {
		return err
	}
	names := tables.renamed()
	for _, step := range steps {
		for _, statement := range step {
			if _, err := tx.ExecContext(ctx, names.Replace(statement)); err != nil {
				return fmt.Errorf("read model: create %s and %s: %w", tables.Account, tables.Entry, err)
			}
		}
	}
	return nil
}

// renamed puts the names of a line where a migration names the live tables and
// their indexes. Those of an index get something that was never there before:
// the tables of an earlier line, which had the same names while it was built,
// may be the live ones now and have kept their indexes.
func (t Tables) renamed() *strings.Replacer {
	live, unique := LiveTables(), strings.ToLower(rand.Text()[:5])
	return strings.NewReplacer(
		live.Account+"_by_", t.Account+"_"+unique+"_by_",
		live.Entry+"_by_", t.Entry+"_"+unique+"_by_",
		live.Account, t.Account,
		live.Entry, t.Entry,
	)
}

// steps returns the statements of each migration, in order.
func (d Dialect) steps() ([][]string, error) {
	files, err := d.migrations()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql") // ascending
	if err != nil {
		return nil, fmt.Errorf("tables of the read model: %w", err)
	}
	steps := make([][]string, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("tables of the read model: %w", err)
		}
		steps[i] = statementsOf(string(text))
	}
	return steps, nil
}

// statementsOf takes a migration apart as goose does: a statement ends with a
// semicolon at the end of a line.
func statementsOf(migration string) (all []string) {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	for statement := range strings.SplitSeq(up+"\n", ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			all = append(all, statement)
		}
	}
	return all
}
