package readmodel_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// scene is a read model in a database of its own, behind a projection.
type scene struct {
	tb      testing.TB
	db      *sql.DB
	store   store
	dialect readmodel.Dialect
	model   *readmodel.Model
	reader  *readmodel.Reader
	// consumer is the name of the projections.
	consumer string
}

// store is what every engine's read side is.
type store interface {
	projection.Lines[*sql.Tx]
	DB() *sql.DB
	Close() error
}

func newScene(tb testing.TB) *scene {
	tb.Helper()
	store, err := sqlite.OpenProjectionStore(context.Background(), filepath.Join(tb.TempDir(), "readmodel.db"), sqlite.Rebuildable)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return sceneOf(tb, store, readmodel.SQLite)
}

func sceneOf(tb testing.TB, store store, dialect readmodel.Dialect) *scene {
	tb.Helper()
	s := &scene{tb: tb, db: store.DB(), store: store, dialect: dialect, consumer: "bankaccConsumer"}
	require.NoError(tb, readmodel.Migrate(context.Background(), s.db, dialect))
	var err error
	s.model, err = readmodel.NewModel(dialect, readmodel.LiveTables())
	require.NoError(tb, err)
	s.reader, err = readmodel.NewReader(s.db, dialect)
	require.NoError(tb, err)
	return s
}

// projection returns a projection that takes runs of records in one transaction.
func (s *scene) projection(runMax int) *projection.Projection[*sql.Tx] {
	s.tb.Helper()
	p, err := projection.New(s.consumer, s.store, s.model, projection.Config{RunMax: runMax})
	require.NoError(s.tb, err)
	return p
}

// apply gives events to the model, in one transaction and without a gate.
func (s *scene) apply(events ...event.Envelope) error {
	return s.store.Update(context.Background(), func(tx *sql.Tx) error {
		return s.model.Apply(context.Background(), tx, events)
	})
}

// rows returns what a query gives, a line for each row: a|b|<nil>.
func (s *scene) rows(query string, args ...any) (lines []string) {
	s.tb.Helper()
	if s.dialect == readmodel.MySQL {
		query = shown(query)
	}
	rows, err := s.db.Query(query, args...)
	require.NoError(s.tb, err)
	defer func() { require.NoError(s.tb, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(s.tb, err)
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		require.NoError(s.tb, rows.Scan(into...))
		texts := make([]string, len(values))
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			texts[i] = fmt.Sprint(v)
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	require.NoError(s.tb, rows.Err())
	return lines
}

// all reads a list to its end.
func all(t *testing.T, found *readmodel.Accounts, err error) (accounts []readmodel.Account) {
	t.Helper()
	require.NoError(t, err)
	defer found.Close()
	for a, err := range found.All() {
		require.NoError(t, err)
		accounts = append(accounts, a)
	}
	require.Equal(t, found.Count(), int64(len(accounts)), "the count, known before")
	return accounts
}

func ids(accounts []readmodel.Account) []string {
	list := make([]string, len(accounts))
	for i, a := range accounts {
		list[i] = a.ID
	}
	return list
}

var started = time.Date(2026, 11, 22, 6, 23, 1, 949_000_000, time.UTC)

// history makes the events of accounts as a store would hold them.
type history struct {
	events   []event.Envelope
	versions map[string]int64
	balances map[string]account.Money
}

func newHistory() *history {
	return &history{versions: make(map[string]int64), balances: make(map[string]account.Money)}
}

// add appends an event of any payload.
func (h *history) add(id, name string, payload any) event.Envelope {
	data, err := json.Marshal(payload)
	if err != nil {
		panic(err) // payloads are well-formed
	}
	position := int64(len(h.events)) + 1
	e := event.Envelope{
		ID: fmt.Sprintf("%s/%d", id, h.versions[id]), Stream: id, Version: h.versions[id], Position: position,
		Type: event.Type{Name: name, Schema: 1}, Time: started.Add(time.Duration(position-1) * time.Microsecond), Data: data,
	}
	h.versions[id]++
	h.events = append(h.events, e)
	return e
}

func (h *history) open(id, holder string, balance account.Money) event.Envelope {
	h.balances[id] = balance
	return h.add(id, account.OpenedName, account.Opened{
		AccountHolder: holder, AccountType: account.Savings, OpeningBalance: balance,
	})
}

func (h *history) deposit(id string, amount account.Money) event.Envelope {
	h.balances[id] = must(h.balances[id].Add(amount))
	return h.add(id, account.DepositedName, account.Deposited{Amount: amount, Balance: h.balances[id]})
}

func (h *history) withdraw(id string, amount account.Money, reference string) event.Envelope {
	h.balances[id] = must(h.balances[id].Sub(amount))
	return h.add(id, account.WithdrawnName, account.Withdrawn{Amount: amount, Balance: h.balances[id], Reference: reference})
}

func (h *history) close(id string) event.Envelope {
	return h.add(id, account.ClosedName, account.Closed{Reason: "moved"})
}

// topic publishes events to a topic of that id.
func topic(id string, events ...event.Envelope) *projectiontest.Topic {
	const partitions = 3
	tp := projectiontest.NewTopic(id, partitions, projectiontest.NewHistory("h1"))
	for _, e := range events {
		tp.Publish(bus.Partition(e.Stream, partitions), e)
	}
	return tp
}

// money reads "12.50 EUR".
func money(text string) account.Money {
	var amount, currency string
	if _, err := fmt.Sscan(text, &amount, &currency); err != nil {
		panic(err)
	}
	return must(account.ParseMoney(amount, currency))
}

// rat reads a number in any notation.
func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
