package notify_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// Several instances record and send at once, each with connections of its own:
// each notification is sent once, and those of an account in their order.
func TestSender_MySQLInstances(t *testing.T) {
	var c, d sendings
	s, h := newMySQLScene(t), newHistory()
	const accounts, deposits = 25, 5
	for i := range accounts {
		h.open(fmt.Sprint("a", i))
	}
	for range deposits {
		for i := range accounts {
			h.deposit(fmt.Sprint("a", i), "1.00 EUR")
		}
	}
	var stops []func()
	for i := range 3 {
		feed := newTopic("t1", h)
		if i > 0 {
			feed = newTopic("t1", newHistory()) // one reads; all send
		}
		channels := []notify.Channel{c.channel("c", nil), d.channel("d", nil)}
		service := s.service(feed, channels, func(c *notify.Config) { c.FromBeginning = true })
		stops = append(stops, start(t, service.Run))
	}
	const all = 2 * accounts * (1 + deposits)
	s.eventually([]string{fmt.Sprint("sent|", all)}, `SELECT state, count(*) FROM notification GROUP BY state`)
	for _, stop := range stops {
		stop()
	}
	require.Equal(t, []string{strconv.Itoa(all)}, s.rows(`SELECT sum(attempts) FROM notification`), "once each")
	for _, tried := range []*sendings{&c, &d} {
		require.Len(t, tried.all(), all/2)
		next := make(map[string]int)
		for _, event := range tried.events() {
			id, version, _ := strings.Cut(event, "/")
			require.Equal(t, strconv.Itoa(next[id]), version, "of account %s", id)
			next[id]++
		}
	}
}

// What one instance is about to claim, another passes over, without waiting.
func TestClaim_MySQLPassesOver(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	for i := range 5 {
		h.open(fmt.Sprint("a", i))
	}
	require.NoError(t, notify.Apply(s.store, s.dialect, named("c"), h.events...))
	claim := func(holder string, room, want int, between func()) {
		t.Helper()
		require.NoError(t, s.store.Update(t.Context(), func(tx *sql.Tx) error {
			got, err := notify.Claim(t.Context(), tx, s.dialect, "c", holder, room)
			require.NoError(t, err)
			require.Equal(t, want, got)
			between()
			return nil
		}))
	}
	claim("first", 3, 3, func() {
		claim("second", 10, 2, func() {
			claim("third", 10, 0, func() {})
		})
	})
	claim("fourth", 10, 0, func() {})
	require.Equal(t, []string{"5|1"}, s.rows(`SELECT sum(attempts), max(attempts) FROM notification`))
}

// Many processes begin on an empty database; one makes the tables.
func TestMigrate_MySQLAtOnce(t *testing.T) {
	s := newMySQLScene(t)
	for _, table := range []string{"notify_schema", "notify_state", "notify_account", "notify_event", "notify_known_event", "notification", "notify_lane"} {
		_, err := s.db.Exec(`DROP TABLE ` + table)
		require.NoError(t, err)
	}
	errs := make([]error, 6)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = notify.Migrate(t.Context(), s.db, notify.MySQL) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, []string{"1"}, s.rows(`SELECT id FROM notify_state`))
}

// What no column has room for parks its account, and the others flow.
func TestModel_MySQLHasNoRoom(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	h.open("fits")
	h.open(strings.Repeat("a", 256))
	s.record(newTopic("t1", h), named("log"))
	require.Equal(t, []string{"fits/0 log"}, s.recorded())
	require.Equal(t, []string{"unapplicable|its account id"}, s.rows(`SELECT reason, left(error, 14) FROM parked_stream`))
}

// Nothing that is asked again and again looks at all of the rows, or sorts them.
func TestStatements_MySQLUseIndexes(t *testing.T) {
	s, h := newMySQLScene(t), newHistory()
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	for i := range 100 {
		h.open(fmt.Sprint("a", i))
	}
	require.NoError(t, notify.Apply(s.store, s.dialect, named("log"), h.events...))
	for name, statement := range notify.Statements(notify.MySQL) {
		args := make([]any, strings.Count(statement, "?"))
		for i := range args {
			args[i] = "1"
		}
		if strings.Contains(statement, "JSON_TABLE") {
			args[0] = `["a1"]`
		}
		if strings.HasSuffix(statement, "LIMIT ?") || strings.Contains(statement, "LIMIT ? FOR") {
			args[len(args)-1] = 1
		}
		var plan string
		require.NoError(t, s.db.QueryRowContext(context.Background(), `EXPLAIN FORMAT=TREE `+statement, args...).Scan(&plan), name)
		for _, bad := range []string{"Sort", "Table scan on notif", "Aggregate using temporary"} {
			require.NotContains(t, plan, bad, "%s: %s", name, statement)
		}
	}
}
