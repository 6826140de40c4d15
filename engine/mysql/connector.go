package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"
)

// setting is a variable of every connection.
type setting struct {
	name, value string
	// text: the value stands in quotes.
	text bool
}

// collation compares names and texts byte by byte, also those that end in
// spaces, and orders them so.
const collation = "utf8mb4_0900_bin"

// lockWait is how many seconds a statement waits for a table that is locked as a
// whole, which is as long as a line takes to be swapped in.
const lockWait = "60"

// settings: under READ COMMITTED each statement sees what was committed before
// it, so that one behind a lock sees what the holder before did. SQL modes that
// cut off or round are off.
func settings(lockWait string) []setting {
	return []setting{
		{"transaction_isolation", "READ-COMMITTED", true},
		{"sql_mode", "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES", true},
		{"time_zone", "+00:00", true},
		{"lock_wait_timeout", lockWait, false},
		{"innodb_lock_wait_timeout", "20", false},
		{"autocommit", "1", false},
		{"collation_connection", collation, true},
	}
}

// newPool returns connections to a database that all have the settings.
func newPool(config *driver.Config, all []setting) (*sql.DB, error) {
	config = config.Clone()
	config.Params = make(map[string]string, len(all))
	for _, s := range all {
		value := s.value
		if s.text {
			value = "'" + value + "'"
		}
		config.Params[s.name] = value
	}
	base, err := driver.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{Connector: base, settings: all}), nil
}

// connector opens connections, and looks whether they have their settings: a
// proxy or an older server may pass over what it does not know.
type connector struct {
	sqldriver.Connector
	settings []setting
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.readBack(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (c connector) readBack(ctx context.Context, conn sqldriver.Conn) (err error) {
	queryer, ok := conn.(sqldriver.QueryerContext)
	if !ok {
		return errors.New("the driver cannot be asked for the settings of a connection")
	}
	columns := make([]string, len(c.settings))
	for i, s := range c.settings {
		columns[i] = "CAST(@@SESSION." + s.name + " AS CHAR)"
	}
	rows, err := queryer.QueryContext(ctx, "SELECT "+strings.Join(columns, ", "), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]sqldriver.Value, len(columns))
	if err := rows.Next(values); err != nil {
		return err
	}
	for i, s := range c.settings {
		text, _ := values[i].([]byte)
		if got := string(text); got != s.value && !sameModes(got, s) {
			return fmt.Errorf("the server was told %s = %s, and has %s", s.name, s.value, got)
		}
	}
	return nil
}

// sameModes compares lists whose order the server chooses.
func sameModes(got string, s setting) bool {
	if s.name != "sql_mode" {
		return false
	}
	sorted := func(list string) []string {
		set := make(map[string]bool)
		for one := range strings.SplitSeq(list, ",") {
			set[one] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	return slices.Equal(sorted(got), sorted(s.value))
}

// isError tells whether err is one of the server's, of any of these numbers.
func isError(err error, numbers ...uint16) bool {
	e, ok := errors.AsType[*driver.MySQLError](err)
	return ok && slices.Contains(numbers, e.Number)
}

// Numbers of the server's errors.
const (
	errLockWait = 1205
	errDeadlock = 1213
)
