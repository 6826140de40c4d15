package e2e_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	_ "modernc.org/sqlite" // to damage the read model by hand

	"passbook/internal/testenv"
)

// traffic deposits into accounts and asks for them until it is stopped: a steady
// load, beside which a slow machine has time for something else.
type traffic struct {
	t        *testing.T
	p        *testenv.Passbook
	accounts []string
	stop     context.CancelFunc
	done     sync.WaitGroup
	writes   atomic.Int64
	reads    atomic.Int64
	slowest  atomic.Int64 // of the reads, in nanoseconds
	faults   chan string
}

func newTraffic(t *testing.T, p *testenv.Passbook, accounts []string) *traffic {
	ctx, stop := context.WithCancel(t.Context())
	load := &traffic{t: t, p: p, accounts: accounts, stop: stop, faults: make(chan string, 100)}
	for range 2 {
		load.done.Go(func() { load.write(ctx) })
		load.done.Go(func() { load.read(ctx) })
	}
	return load
}

func (l *traffic) faultf(format string, a ...any) {
	select {
	case l.faults <- fmt.Sprintf(format, a...):
	default:
	}
}

func (l *traffic) request(ctx context.Context, method, url, body string) (status int, answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// pace lets a moment pass between two requests.
const pace = 10 * time.Millisecond

func (l *traffic) write(ctx context.Context) {
	for ; ctx.Err() == nil; <-time.After(pace) {
		id := l.accounts[rand.IntN(len(l.accounts))]
		status, answer, err := l.request(ctx, http.MethodPost, l.p.Command+"/api/v2/accounts/"+id+"/deposits", `{"amount":{"amount":"1.00","currency":"EUR"}}`)
		switch {
		case ctx.Err() != nil:
		case err != nil || status != http.StatusCreated:
			l.faultf("deposit: %d %s %v", status, answer, err)
		default:
			l.writes.Add(1)
		}
	}
}

// read wants every answer to be whole: an account whose balance is its opening
// and a deposit for each further version.
func (l *traffic) read(ctx context.Context) {
	for ; ctx.Err() == nil; <-time.After(pace) {
		id := l.accounts[rand.IntN(len(l.accounts))]
		began := time.Now()
		status, answer, err := l.request(ctx, http.MethodGet, l.p.Query+"/api/v2/accounts/"+id, "")
		var account struct {
			Version int64
			Balance struct{ Amount string }
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil || status != http.StatusOK || json.Unmarshal([]byte(answer), &account) != nil:
			l.faultf("query for %s: %d %s %v", id, status, answer, err)
		case account.Balance.Amount != fmt.Sprintf("%d.00", 100+account.Version):
			l.faultf("account %s has %s at version %d", id, account.Balance.Amount, account.Version)
		}
		l.reads.Add(1)
		for took := time.Since(began).Nanoseconds(); took > l.slowest.Load(); {
			l.slowest.Store(took)
		}
	}
}

func (l *traffic) end() {
	l.stop()
	l.done.Wait()
	select {
	case fault := <-l.faults:
		l.t.Fatalf("during the restores: %s", fault)
	default:
	}
}

type restoreState struct {
	ID, State, Error string
	Events, Total    int64
}

func requestRestore(t *testing.T, p *testenv.Passbook) restoreState {
	t.Helper()
	var restore restoreState
	require.Eventually(t, func() bool {
		status, _, answer := call(t, http.MethodPost, p.Command+"/api/v2/read-model/restores", "")
		return status == http.StatusAccepted && json.Unmarshal([]byte(answer), &restore) == nil
	}, time.Minute, 10*time.Millisecond, "no restore can be requested")
	return restore
}

// awaitRestore waits until a restore is over.
func awaitRestore(t *testing.T, p *testenv.Passbook, restore restoreState) restoreState {
	t.Helper()
	require.Eventually(t, func() bool {
		status, _, answer := call(t, http.MethodGet, p.Command+"/api/v2/read-model/restores/"+restore.ID, "")
		return status == http.StatusOK && json.Unmarshal([]byte(answer), &restore) == nil && restore.State != "running"
	}, 2*time.Minute, 10*time.Millisecond, "the restore does not end: %+v", &restore)
	return restore
}

// requireAgreement wants verify to find no difference beside a running passbook.
func requireAgreement(t *testing.T, p *testenv.Passbook, data string) {
	t.Helper()
	code, stdout, stderr := program(t, nil, "verify", "--data", data, "--broker", "kafka://"+p.Broker)
	require.Zero(t, code, "%s%s", stdout, stderr)
}

func openMany(t *testing.T, p *testenv.Passbook, n int) []string {
	t.Helper()
	accounts := make([]string, n)
	for i := range accounts {
		accounts[i] = open(t, p, "Ada", 100)
		requireBalance(t, p, accounts[i], "100.0")
	}
	return accounts
}

// damage alters the read model by hand.
func damage(t *testing.T, data, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "readmodel.db")+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	defer db.Close()
	result, err := db.Exec(statement)
	require.NoError(t, err)
	changed, err := result.RowsAffected()
	require.NoError(t, err)
	require.Positive(t, changed, statement)
}

// The read model is built again and swapped in while it is asked and while money
// moves; what was altered by hand is right afterwards.
func TestRestore_UnderLoad(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	p.AwaitReady(t.Context())
	accounts := openMany(t, p, 20)
	spoiled := open(t, p, "Spoiled", 7)
	requireBalance(t, p, spoiled, "7.0")
	damage(t, data, `UPDATE bank_account SET balance = '8.00', balance_units = 80000 WHERE id = '`+spoiled+`'`)
	requireBalance(t, p, spoiled, "8.0")

	load := newTraffic(t, p, accounts)
	for range times(2) {
		done := awaitRestore(t, p, requestRestore(t, p))
		require.Equal(t, "done", done.State, done.Error)
		require.GreaterOrEqual(t, done.Events, done.Total)
	}
	load.end()
	t.Logf("restores beside %d deposits and %d queries, of which the slowest took %s", load.writes.Load(), load.reads.Load(), time.Duration(load.slowest.Load()))
	requireBalance(t, p, spoiled, "7.0")
	requireAgreement(t, p, data)
}

// A process that is killed at any moment of a restore goes on with it, or fails
// it cleanly; it leaves neither tables nor topics behind.
func TestRestore_Kill9(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	p.AwaitReady(t.Context())
	accounts := openMany(t, p, 10)
	ended := make(map[string]int)
	for range times(5) {
		load := newTraffic(t, p, accounts)
		restore := requestRestore(t, p)
		moment := time.NewTimer(time.Duration(rand.IntN(1500)) * time.Millisecond) // a moment, not a wait for anything
		<-moment.C
		load.end()
		p.Kill()
		p = testenv.Start(t, data)
		p.AwaitReady(t.Context())
		over := awaitRestore(t, p, restore)
		ended[over.State+" "+over.Error]++
		requireAgreement(t, p, data)
	}
	t.Logf("restores that were hit: %v", ended)
	done := awaitRestore(t, p, requestRestore(t, p))
	require.Equal(t, "done", done.State, done.Error)
	requireTidy(t, p, data)
}

// requireTidy wants nothing of a restore to be left.
func requireTidy(t *testing.T, p *testenv.Passbook, data string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(p.Broker))
	require.NoError(t, err)
	defer client.Close()
	var names []string
	require.Eventually(t, func() bool {
		topics, err := kadm.NewClient(client).ListTopics(t.Context())
		names = topics.Names()
		return err == nil && len(names) == 2
	}, time.Minute, 20*time.Millisecond, "topics are left: %v", &names)
	db, err := sql.Open("sqlite", filepath.Join(data, "readmodel.db")+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	defer db.Close()
	var tables int
	require.Eventually(t, func() bool {
		return db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE '%account%'`).Scan(&tables) == nil && tables == 2
	}, time.Minute, 20*time.Millisecond, "tables are left")
}
