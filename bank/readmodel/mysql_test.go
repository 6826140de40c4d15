package readmodel_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/contract/account"
	"passbook/es/event"
	"passbook/es/projection"
)

// Many processes begin on an empty database; one makes the tables.
func TestMigrate_MySQLAtOnce(t *testing.T) {
	store := openMySQL(t)
	errs := make([]error, 6)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = readmodel.Migrate(t.Context(), store.DB(), readmodel.MySQL) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	s := sceneOf(t, store, readmodel.MySQL)
	require.NoError(t, s.apply(newHistory().open("a", "A", money("1.00 EUR"))))
	_, err := s.db.Exec(`UPDATE bank_account SET balance_units = 10001`)
	require.ErrorContains(t, err, "is violated", "the two columns with the balance say the same")
	for _, change := range []string{
		`UPDATE bank_account SET balance = 1.0010, balance_units = 10010`,
		`UPDATE account_entry SET balance = 1.0010`, `UPDATE account_entry SET amount = 1.0010`,
	} {
		_, err = s.db.Exec(change)
		require.ErrorContains(t, err, "is violated", "a digit that is not shown")
	}
	_, err = s.db.Exec(`INSERT INTO readmodel_schema (version_id, is_applied) VALUES (99, 1)`)
	require.NoError(t, err)
	require.EqualError(t, readmodel.Migrate(t.Context(), s.db, readmodel.MySQL),
		"tables of the read model: they have version 99, and this program knows up to 1: use a newer one")
}

// What no column has room for parks its account, and the others flow.
func TestModel_MySQLHasNoRoom(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	h.open("holder", strings.Repeat("ä", 256), money("1.00 EUR"))
	h.open("fits", strings.Repeat("ä", 255), money("1.00 EUR"))
	h.open("reference", "R", money("5.00 EUR"))
	h.withdraw("reference", money("1.00 EUR"), strings.Repeat("r", 256))
	tp := topic("t1", h.events...)
	p := s.projection(100)
	require.NoError(t, p.RunToEnd(t.Context(), tp, tp.Topic))
	parked, err := p.Parked(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, parked, 2)
	require.Equal(t, "holder", parked[0].Stream)
	require.Contains(t, parked[0].Error, "the account holder has 256 characters, and there is room for 255")
	require.Equal(t, "reference", parked[1].Stream)
	require.Contains(t, parked[1].Error, "the reference has 256 characters")
	require.Equal(t, []string{"fits|0"}, s.rows(`SELECT id, version FROM bank_account ORDER BY id`)[:1])

	long := strings.Repeat("s", 300)
	require.NoError(t, s.store.View(t.Context(), func(tx *sql.Tx) error {
		heads, err := s.model.Heads(t.Context(), tx, []string{long, long[:64], "fits"})
		require.NoError(t, err)
		require.Len(t, heads, 1)
		ids, err := s.model.EventIDs(t.Context(), tx, []projection.Ref{{Stream: long}, {Stream: "fits"}})
		require.Len(t, ids, 1)
		return err
	}))
}

// A row that another has changed, or made, since it was read is not written.
func TestModel_MySQLStatementCarriesVersion(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	h.open("a", "A", money("1.00 EUR"))
	h.deposit("a", money("1.00 EUR"))
	require.NoError(t, s.apply(h.events...))
	before := s.rows(accountsSQL)
	a, err := s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	a.Version, a.EventID = 2, "a/2"
	write := func(expected int64) error {
		return s.store.Update(t.Context(), func(tx *sql.Tx) error {
			return readmodel.WriteOnMySQL(t.Context(), tx, a, expected)
		})
	}
	for _, expected := range []int64{0, 2, event.NoVersion} {
		require.ErrorIs(t, write(expected), readmodel.ErrVersion, "expected %d", expected)
		require.Equal(t, before, s.rows(accountsSQL))
	}
	require.NoError(t, write(1))
	require.NotEqual(t, before, s.rows(accountsSQL))
}

// More accounts and entries than one statement writes, new and moved at once.
func TestModel_MySQLManyRows(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	for i := range 450 {
		h.open(fmt.Sprintf("%03d", i), "Holder", money("1.00 EUR"))
	}
	require.NoError(t, s.apply(h.events...))
	moved := len(h.events)
	for i := range 450 {
		h.deposit(fmt.Sprintf("%03d", i), money("0.50 EUR"))
		h.deposit(fmt.Sprintf("%03d", i), money("0.25 EUR"))
	}
	h.open("new", "Holder", money("1.75 EUR"))
	_, err := s.db.Exec(`UPDATE bank_account SET event_id = 'other', version = 7 WHERE id = '449'`)
	require.NoError(t, err)
	require.ErrorIs(t, s.apply(h.events[moved:]...), readmodel.ErrVersion)
	require.Equal(t, []string{"450"}, s.rows(`SELECT count(*) FROM account_entry`), "nothing of it remains")
	_, err = s.db.Exec(`UPDATE bank_account SET event_id = '449/0', version = 0 WHERE id = '449'`)
	require.NoError(t, err)
	require.NoError(t, s.apply(h.events[moved:]...))
	require.Equal(t, []string{"1.75|451|451"}, s.rows(`SELECT min(balance), count(*), count(DISTINCT id) FROM bank_account WHERE balance = '1.75'`))
	require.Equal(t, []string{"1351"}, s.rows(`SELECT count(*) FROM account_entry`))
}

// Every question is answered from an index, and none is sorted, as the plans say.
func TestStatements_MySQLUseIndexes(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	for i := range 300 {
		h.open(fmt.Sprintf("%03d", i), fmt.Sprint("Holder ", i%7), money("1.00 EUR"))
	}
	require.NoError(t, s.apply(h.events...))
	statements, err := readmodel.Statements(readmodel.MySQL)
	require.NoError(t, err)
	for name, statement := range statements {
		if statement == "" || name == "positions" || name == "ping" || name == "severalCurrencies" || name == "positionMax" {
			continue // SQLite's own; or answered before a plan is made
		}
		args := make([]any, strings.Count(statement, "?"))
		for i := range args {
			args[i] = 1
		}
		switch {
		case strings.Contains(statement, "JSON_TABLE"):
			args[0] = `["001"]`
		case strings.Contains(statement, "id = ?"), strings.Contains(statement, "holder = ?"):
			args[0] = "001" // as it is asked for
		}
		s.requireIndexed(t, name, statement, args)
	}
	var queries []readmodel.PageQuery
	for _, sort := range []readmodel.Sort{readmodel.ByCreation, readmodel.ByBalance, readmodel.ByHolder} {
		for _, descending := range []bool{false, true} {
			for _, q := range []readmodel.PageQuery{{}, {Holder: "Holder 1"}, {Status: account.StatusOpen}, {Type: account.Savings},
				{Currency: must(account.ParseCurrency("EUR"))}, {MinBalance: rat("0"), MaxBalance: rat("2")}} {
				q.Sort, q.Descending, q.Limit = sort, descending, 5
				queries = append(queries, q)
			}
		}
	}
	for _, q := range queries {
		for range 3 { // the first page, and those behind
			query, args, err := readmodel.PageStatement(readmodel.MySQL, &q)
			require.NoError(t, err)
			s.requireIndexed(t, fmt.Sprintf("%+v", q), query, args)
			page, err := s.reader.FindPage(t.Context(), &q)
			require.NoError(t, err)
			q.After = page.Next
		}
	}
}

func (s *scene) requireIndexed(t *testing.T, name, query string, args []any) {
	t.Helper()
	var plan string
	require.NoError(t, s.db.QueryRowContext(t.Context(), `EXPLAIN FORMAT=TREE `+query, args...).Scan(&plan), name)
	for _, bad := range []string{"Sort", "Table scan on bank_account", "Table scan on account_entry"} {
		require.NotContains(t, plan, bad, "%s: %s", name, query)
	}
}

// A line is built, audited, compared and swapped in by the engine while questions
// are answered: each answer is of one line, and none fails.
func TestReader_LineIsSwapped(t *testing.T) { onEngines(t, testReaderLineIsSwapped) }

func testReaderLineIsSwapped(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	line := func(deposits int) *history {
		h := newHistory()
		h.open("a", "Ada", money("1.00 EUR"))
		for range deposits {
			h.deposit("a", money("1.00 EUR"))
		}
		return h
	}
	require.NoError(t, s.apply(line(3).events...))
	asking, stop := context.WithCancel(t.Context())
	defer stop()
	failed := make(chan error, 1)
	asked := make(chan struct{}, 1)
	go func() { failed <- s.ask(asking, asked) }()
	for round := range 3 {
		h := line(4 + round)
		id := fmt.Sprint("line ", round)
		var tables readmodel.Tables
		require.NoError(t, s.store.Begin(t.Context(), id, readmodel.TableNames(),
			func(ctx context.Context, tx *sql.Tx, next map[string]string) (err error) {
				if tables, err = readmodel.NextTables(next); err != nil {
					return err
				}
				return readmodel.CreateTables(ctx, tx, s.dialect, tables)
			}))
		model, err := readmodel.NewModel(s.dialect, tables)
		require.NoError(t, err)
		require.NoError(t, s.store.Next().Update(t.Context(), func(tx *sql.Tx) error {
			return model.Apply(t.Context(), tx, h.events)
		}))
		audit, err := readmodel.NewAudit(s.dialect, tables)
		require.NoError(t, err)
		for _, e := range h.events {
			require.NoError(t, audit.Saw(e))
		}
		<-asked
		require.NoError(t, s.store.Swap(t.Context(), id, readmodel.TableNames(), func(ctx context.Context, tx *sql.Tx) error {
			n, err := readmodel.Differences(ctx, tx, s.dialect, tables)
			require.NoError(t, err)
			require.Zero(t, n, "another version is no difference")
			return audit.Check(ctx, tx, nil)
		}))
		<-asked
	}
	stop()
	require.NoError(t, <-failed)
	a, err := s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "7.00 EUR", a.Balance.String())
}

// ask asks questions until ctx ends, and tells of each round, if somebody waits.
func (s *scene) ask(ctx context.Context, asked chan<- struct{}) error {
	background := context.Background()
	for ctx.Err() == nil {
		if _, err := s.reader.FindAccountByID(background, "a"); err != nil {
			return err
		}
		page, err := s.reader.FindPage(background, &readmodel.PageQuery{Holder: "Ada", Limit: 10})
		if err != nil || len(page.Accounts) != 1 {
			return fmt.Errorf("%d accounts: %w", len(page.Accounts), err)
		}
		now := page.Accounts[0]
		past, err := s.reader.FindAccountAtVersion(background, "a", 2)
		if err != nil {
			return err
		}
		if past.Balance.String() != "3.00 EUR" || now.Version < 3 {
			return fmt.Errorf("%s at version 2, and version %d now", past.Balance, now.Version)
		}
		select {
		case asked <- struct{}{}:
		default:
		}
	}
	return nil
}
