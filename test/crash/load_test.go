package crash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
)

// ledger is what the clients know for certain of one account: what was
// acknowledged, in cents, and how many events that makes.
type ledger struct {
	id     string
	cents  atomic.Int64
	events atomic.Int64
}

// load is a number of clients that open accounts and move money over the API,
// each request under a key of its own, repeated until its answer is certain.
type load struct {
	t *testing.T
	// base is the command API's URL, which changes with each start.
	base     atomic.Pointer[string]
	accounts []*ledger
	// acknowledged, refused and repeated count requests; replayed counts answers
	// that the server knew from the time before a crash.
	acknowledged, refused, repeated, replayed atomic.Int64
}

func newLoad(t *testing.T, base string, accounts int) *load {
	t.Helper()
	l := &load{t: t, accounts: make([]*ledger, accounts)}
	l.base.Store(&base)
	for i := range l.accounts {
		l.accounts[i] = &ledger{}
	}
	return l
}

// run drives clients until ctx ends, then lets each finish its last request.
func (l *load) run(ctx context.Context, clients int, seed uint64) {
	var wg sync.WaitGroup
	for i := range l.accounts {
		if i%clients == 0 {
			wg.Wait() // as many at a time as there are clients
		}
		wg.Go(func() { l.open(l.accounts[i], rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	wg.Wait()
	for i := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(1000+i)))
			for ctx.Err() == nil {
				l.move(l.accounts[random.IntN(len(l.accounts))], random)
			}
		})
	}
	wg.Wait()
}

func (l *load) open(a *ledger, random *rand.Rand) {
	cents := random.Int64N(100_00)
	body := fmt.Sprintf(`{"accountHolder":"Crash Test","accountType":"CURRENT","openingBalance":%s}`, euros(cents))
	answer, done := l.request(http.MethodPost, "/api/v1/openBankAccount", body)
	if !done {
		l.t.Errorf("opening refused: %s", answer)
		return
	}
	var opened struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &opened); err != nil || opened.ID == "" {
		l.t.Errorf("opening answered %q: %v", answer, err)
		return
	}
	a.id = opened.ID
	a.cents.Add(cents)
	a.events.Add(1)
}

func (l *load) move(a *ledger, random *rand.Rand) {
	cents := 1 + random.Int64N(50_00)
	path, sign := "/api/v1/depositFunds/", int64(1)
	if random.IntN(2) == 0 {
		path, sign = "/api/v1/withdrawFunds/", -1
	}
	answer, done := l.request(http.MethodPut, path+a.id, fmt.Sprintf(`{"amount":%s}`, euros(cents)))
	switch {
	case done:
		a.cents.Add(sign * cents)
		a.events.Add(1)
	case sign < 0 && strings.Contains(answer, "insufficient funds"):
	default:
		l.t.Errorf("movement refused: %s", answer)
	}
}

// request sends one request until its answer is certain: done, or refused.
func (l *load) request(method, path, body string) (answer string, done bool) {
	key := event.NewID()
	for {
		status, answer := l.send(method, path, body, key)
		switch status {
		case http.StatusOK, http.StatusCreated:
			l.acknowledged.Add(1)
			return answer, true
		case http.StatusBadRequest:
			l.refused.Add(1)
			return answer, false
		case 0, http.StatusConflict, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			l.repeated.Add(1)
			timer := time.NewTimer(5 * time.Millisecond) // between two tries, not for anything to happen
			<-timer.C
		default:
			l.t.Errorf("%s %s answered %d: %s", method, path, status, answer)
			return answer, false
		}
	}
}

// client gives up on an answer early, because that is what makes clients repeat.
var client = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// send tries once; status 0 means that there was no answer.
func (l *load) send(method, path, body, key string) (status int, answer string) {
	request, err := http.NewRequestWithContext(context.Background(), method, *l.base.Load()+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	if response.Header.Get("Idempotent-Replayed") == "true" {
		l.replayed.Add(1)
	}
	return response.StatusCode, string(content)
}

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// total returns how many events were acknowledged.
func (l *load) total() int64 {
	var n int64
	for _, a := range l.accounts {
		n += a.events.Load()
	}
	return n
}

// requireBalances waits until the query API shows every acknowledged movement,
// and nothing else.
func (l *load) requireBalances(t *testing.T, query string) {
	t.Helper()
	for _, a := range l.accounts {
		var last string
		require.Eventually(t, func() bool {
			last = l.balance(query, a.id)
			var body struct {
				BankAccounts []struct{ Balance json.Number }
			}
			if json.Unmarshal([]byte(last), &body) != nil || len(body.BankAccounts) != 1 {
				return false
			}
			return cents(body.BankAccounts[0].Balance.String()) == a.cents.Load()
		}, time.Minute, 5*time.Millisecond, "account %s: want %s, have %s", a.id, euros(a.cents.Load()), last)
	}
}

func (l *load) balance(query, id string) string {
	response, err := client.Get(query + "/api/v1/bankAccountLookup/byId/" + id)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// cents reads an exact decimal with one or two places.
func cents(text string) int64 {
	whole, part, _ := strings.Cut(text, ".")
	var euros, rest int64
	if _, err := fmt.Sscan(whole, &euros); err != nil {
		return -1
	}
	if _, err := fmt.Sscan(strings.TrimLeft((part + "00")[:2], "0")+"", &rest); err != nil {
		rest = 0 // nothing but zeros
	}
	return euros*100 + rest
}
