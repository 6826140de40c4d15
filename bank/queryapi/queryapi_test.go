package queryapi_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/projection"
)

// bank is the query API over a read model that tests write to.
type bank struct {
	*web.API
	t        *testing.T
	store    *sqlite.ProjectionStore
	model    *readmodel.Model
	commits  *readmodel.Commits
	position int64
	versions map[string]int64
	balances map[string]account.Money
}

// quiet keeps expected failures out of the test's output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// open makes an API on a database of its own; tests change the settings that
// they are about.
func open(t *testing.T, changes ...func(*queryapi.Config)) *bank {
	t.Helper()
	ctx := context.Background()
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(t.TempDir(), "readmodel.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, readmodel.Migrate(ctx, store.DB(), readmodel.SQLite))
	model, err := readmodel.NewModel(readmodel.SQLite, readmodel.LiveTables())
	require.NoError(t, err)
	reader, err := readmodel.NewReader(store.DB(), readmodel.SQLite)
	require.NoError(t, err)

	consumer, err := projection.New("bankaccConsumer", store, model, projection.Config{})
	require.NoError(t, err)

	registry, commits := prometheus.NewRegistry(), new(readmodel.Commits)
	config := queryapi.Config{
		Accounts: reader, Versions: consumer, Commits: commits, Version: "test", Logger: quiet(),
		Metrics: registry, Probes: web.NewProbes(registry),
	}
	for _, change := range changes {
		change(&config)
	}
	api, err := queryapi.New(config)
	require.NoError(t, err)
	return &bank{
		API: api, t: t, store: store, model: model, commits: commits,
		versions: make(map[string]int64), balances: make(map[string]account.Money),
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// get sends a request, by default a GET.
func (b *bank) get(target string, method ...string) answer {
	r := httptest.NewRequest(append(method, http.MethodGet)[0], target, nil)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// askWith sends a GET for which ctx holds.
func (b *bank) askWith(ctx context.Context, target string, headers ...string) answer {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

var opened = time.Date(2026, 11, 22, 6, 23, 1, 949_999_000, time.UTC)

// event is the next event of an account.
func (b *bank) event(id, name string, payload any) event.Envelope {
	data, err := json.Marshal(payload)
	require.NoError(b.t, err)
	e := event.Envelope{
		ID: fmt.Sprintf("%s/%d", id, b.versions[id]), Stream: id, Version: b.versions[id], Position: b.position + 1,
		Type: event.Type{Name: name, Schema: 1}, Time: opened, Data: data,
	}
	b.versions[id]++
	b.position++
	return e
}

func (b *bank) apply(events ...event.Envelope) {
	b.t.Helper()
	require.NoError(b.t, b.commits.Watch(b.store).Update(context.Background(), func(tx *sql.Tx) error {
		return b.model.Apply(context.Background(), tx, events)
	}))
}

// empty takes everything back.
func (b *bank) empty() {
	b.t.Helper()
	for _, table := range readmodel.TableNames() {
		_, err := b.store.DB().Exec("DELETE FROM " + table)
		require.NoError(b.t, err)
	}
	clear(b.versions)
	clear(b.balances)
	b.position = 0
}

// opening is the opening of a savings account; balance is written "50.00 EUR".
func (b *bank) opening(id, holder, balance string) event.Envelope {
	b.balances[id] = b.money(balance)
	return b.event(id, account.OpenedName, account.Opened{
		AccountHolder: holder, AccountType: account.Savings, OpeningBalance: b.balances[id],
	})
}

// grow opens accounts 00000, 00001 … from one number up to another, each with
// its number as its balance.
func (b *bank) grow(from, to int) {
	b.t.Helper()
	events := make([]event.Envelope, 0, to-from)
	for i := from; i < to; i++ {
		events = append(events, b.opening(fmt.Sprintf("%05d", i), "Holder", fmt.Sprint(i, ".00 EUR")))
	}
	b.apply(events...)
}

func (b *bank) deposit(id, amount string) event.Envelope {
	sum, err := b.balances[id].Add(b.money(amount))
	require.NoError(b.t, err)
	b.balances[id] = sum
	return b.event(id, account.DepositedName, account.Deposited{Amount: b.money(amount), Balance: sum})
}

func (b *bank) closing(id string) event.Envelope {
	return b.event(id, account.ClosedName, account.Closed{})
}

func (b *bank) money(text string) account.Money {
	var amount, currency string
	_, err := fmt.Sscan(text, &amount, &currency)
	require.NoError(b.t, err)
	m, err := account.ParseMoney(amount, currency)
	require.NoError(b.t, err)
	return m
}

// spoil changes a row as no program of ours does, so that it cannot be read.
func (b *bank) spoil(id string) {
	b.t.Helper()
	_, err := b.store.DB().Exec(`UPDATE bank_account SET currency = 'XXX' WHERE id = ?`, id)
	require.NoError(b.t, err)
}
