package readmodel_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"passbook/bank/readmodel"
)

// What is committed between the count of a list and its first account is in
// neither.
func TestReader_CountAndListAreOneState(t *testing.T) {
	s, h := newScene(t), newHistory()
	for i := range readmodel.WholeMax + 1 {
		h.open(fmt.Sprintf("%03d", i), "Holder", money("1.00 EUR"))
	}
	require.NoError(t, s.apply(h.events...))

	var path string
	require.NoError(t, s.db.QueryRow(`SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path))
	connector, err := sqlite.NewConnector("file:" + path)
	require.NoError(t, err)
	between := 0
	db := sql.OpenDB(watched{Connector: connector, after: func(query string) {
		if strings.Contains(query, "count(*)") {
			between++
			require.NoError(t, s.apply(h.open(fmt.Sprintf("later-%d", between), "Holder", money("1.00 EUR"))))
		}
	}})
	defer func() { require.NoError(t, db.Close()) }()
	reader, err := readmodel.NewReader(db, readmodel.SQLite)
	require.NoError(t, err)

	for n := range 3 {
		found, err := reader.FindAccounts(t.Context())
		require.Len(t, all(t, found, err), readmodel.WholeMax+1+n)
		require.Equal(t, n+1, between)
	}
}

// watched makes connections that tell what was asked, once it was answered.
type watched struct {
	driver.Connector
	after func(query string)
}

func (w watched) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := w.Connector.Connect(ctx)
	return &watchedConn{Conn: conn, after: w.after}, err
}

type watchedConn struct {
	driver.Conn
	after func(query string)
}

func (c *watchedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c *watchedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	return &watchedRows{Rows: rows, end: func() { c.after(query) }}, err
}

type watchedRows struct {
	driver.Rows
	end func()
}

func (r *watchedRows) Close() error {
	defer r.end()
	return r.Rows.Close()
}
