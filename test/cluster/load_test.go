package cluster_test

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
	"golang.org/x/time/rate"

	"passbook/es/event"
)

const (
	clients = 32
	// hotPercent of all movements are on one account, the first.
	hotPercent = 10
	// twinPercent of all requests are sent to two command processes at once,
	// under one key.
	twinPercent = 3
)

// load is a number of clients that open accounts and move money, each request
// under a key of its own, repeated on one command process and the other until
// its answer is certain.
type load struct {
	t        *testing.T
	bank     *bank
	accounts []*ledger
	pace     *rate.Limiter
	stop     context.CancelFunc
	done     chan struct{}

	acked, refused, replayed atomic.Int64
	// Answers that leave a request open, by what they were.
	silent, unavailable, unknown, conflicts atomic.Int64

	mu   sync.Mutex
	left []func() // requests to be settled when nothing else is under way
}

// newLoad opens accounts.
func (b *bank) newLoad(accounts, perSecond int) *load {
	b.t.Helper()
	l := &load{t: b.t, bank: b, pace: rate.NewLimiter(rate.Inf, 1)}
	var wg sync.WaitGroup
	turns := make(chan int)
	for i := range accounts {
		l.accounts = append(l.accounts, newLedger(fmt.Sprintf("account-%d", i)))
	}
	for range clients {
		wg.Go(func() {
			for i := range turns {
				l.openAccount(l.accounts[i], rand.New(rand.NewPCG(*seed, uint64(i))))
			}
		})
	}
	for i := range accounts {
		turns <- i
	}
	close(turns)
	wg.Wait()
	require.False(b.t, b.t.Failed(), "accounts could not be opened")
	if perSecond > 0 {
		l.pace = rate.NewLimiter(rate.Limit(perSecond), clients)
	}
	return l
}

// start has the clients move money until finish.
func (l *load) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stop, l.done = cancel, make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(*seed, uint64(1_000_000+i)))
			for l.pace.Wait(ctx) == nil && ctx.Err() == nil {
				a := l.accounts[0]
				if random.IntN(100) >= hotPercent {
					a = l.accounts[random.IntN(len(l.accounts))]
				}
				l.move(a, random)
			}
		})
	}
	ended := l.done
	go func() { wg.Wait(); close(ended) }()
	l.t.Cleanup(cancel)
}

// finish returns once every request that was begun has a certain answer.
func (l *load) finish() {
	l.t.Helper()
	l.stop()
	select {
	case <-l.done:
	case <-time.After(patience):
		l.t.Fatal("commands are not answered for certain, although everything runs again")
	}
	for _, settle := range l.left {
		settle()
	}
	l.t.Logf("acknowledged %d, refused %d, of these known from before %d; open answers: none at all %d, unavailable %d, outcome unknown %d, conflict %d",
		l.acked.Load(), l.refused.Load(), l.replayed.Load(), l.silent.Load(), l.unavailable.Load(), l.unknown.Load(), l.conflicts.Load())
}

// await returns once so many commands more have been acknowledged.
func (l *load) await(more int) {
	l.t.Helper()
	target := l.acked.Load() + int64(more)
	awaitProgress(l.t, func() (int64, string) {
		acked := l.acked.Load()
		return acked, unless(acked >= target, "commands are not acknowledged any more: %d, want %d", acked, target)
	})
}

// events is how many there are if each acknowledged command was done once.
func (l *load) events() int64 {
	var n int64
	for _, a := range l.accounts {
		version, _ := a.end()
		n += version + 1
	}
	return n
}

func (l *load) openAccount(a *ledger, random *rand.Rand) {
	cents, key := 1+random.Int64N(1000_00), event.NewID()
	body := fmt.Sprintf(`{"accountHolder":%q,"accountType":"CURRENT","accountId":%q,"openingBalance":{"amount":%q,"currency":"EUR"}}`,
		key, a.id, euros(cents))
	l.settle(a, request{path: "/api/v2/accounts", body: body, key: key, cents: cents, opening: true}, random)
}

func (l *load) move(a *ledger, random *rand.Rand) {
	cents, key := 1+random.Int64N(100_00), event.NewID()
	path, sign := "/deposits", int64(1)
	if random.IntN(2) == 0 {
		path, sign = "/withdrawals", -1
	}
	body := fmt.Sprintf(`{"amount":{"amount":%q,"currency":"EUR"},"reference":%q}`, euros(cents), key)
	r := request{path: "/api/v2/accounts/" + a.id + path, body: body, key: key, cents: sign * cents}
	if random.IntN(100) >= twinPercent {
		l.settle(a, r, random)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { l.settle(a, r, rand.New(rand.NewPCG(random.Uint64(), 0))) })
	wg.Go(func() { l.settle(a, r, rand.New(rand.NewPCG(*seed, uint64(cents)))) })
	wg.Wait()
}

type request struct {
	path, body, key string
	cents           int64 // signed
	opening         bool
}

// settle sends a request until its answer is certain, and takes that down.
func (l *load) settle(a *ledger, r request, random *rand.Rand) {
	open := false // has an attempt been left that may still come to something?
	for turn := random.IntN(len(l.bank.command)); ; turn++ {
		since := a.newest.Load()
		client := patient
		if random.IntN(2) == 0 {
			client = impatient
		}
		status, body, replayed := post(client, l.bank.command[turn%len(l.bank.command)].base()+r.path, r.body, r.key)
		if replayed {
			l.replayed.Add(1)
		}
		answer, err := l.judge(a, r, status, body)
		if err != nil {
			l.t.Error(err)
			return
		}
		switch answer {
		case done:
			return
		case refused:
			a.noteRefusal(refusal{cents: -r.cents, since: since})
			if open {
				l.leave(a, r)
			}
			return
		case lost:
			open = true
		case undone:
		}
		moment(time.Duration(5+random.IntN(45)) * time.Millisecond)
	}
}

// leave puts a request aside that was refused after an attempt whose outcome is
// not known: a refusal is not remembered, and the first attempt may come after it.
func (l *load) leave(a *ledger, r request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = append(l.left, func() { l.settle(a, r, rand.New(rand.NewPCG(*seed, 0))) })
}

// answer is what an answer says of a request.
type answer int

const (
	done    answer = iota
	refused        // and this attempt has changed nothing
	undone         // this attempt has changed nothing, another may
	lost           // nobody knows
)

// judge counts an answer, and takes down what was done.
func (l *load) judge(a *ledger, r request, status int, body string) (answer, error) {
	code := problemCode(body)
	switch {
	case status == http.StatusCreated:
		l.acked.Add(1)
		return done, l.acknowledge(a, r, body)
	case status == http.StatusUnprocessableEntity && code == "insufficient-funds" && r.cents < 0:
		l.refused.Add(1)
		return refused, nil
	case status == 0:
		l.silent.Add(1)
		return lost, nil
	case status == http.StatusServiceUnavailable:
		l.unavailable.Add(1)
		return undone, nil
	case status == http.StatusGatewayTimeout:
		l.unknown.Add(1)
		return lost, nil
	case status == http.StatusConflict && (code == "version-conflict" || code == "idempotency-key-in-flight"):
		l.conflicts.Add(1)
		return undone, nil
	}
	return lost, fmt.Errorf("%s answered %d: %s", r.path, status, body)
}

func (l *load) acknowledge(a *ledger, r request, body string) error {
	var answer struct {
		AccountID         string
		Version, Position int64
		Balance           money
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.AccountID != a.id || answer.Position < 1 {
		return fmt.Errorf("%s answered %s: %w", r.path, body, err)
	}
	if r.opening != (answer.Version == 0) || answer.Balance.cents() < 0 {
		return fmt.Errorf("%s answered %s", r.path, body)
	}
	return a.note(answer.Version, movement{key: r.key, cents: r.cents, balance: answer.Balance.cents(), position: answer.Position})
}

// impatient gives up on an answer early, because that is what makes clients
// repeat; patient waits until the service says that it does not know.
var (
	connections = &http.Transport{MaxIdleConnsPerHost: 2 * clients}
	impatient   = &http.Client{Timeout: 2 * time.Second, Transport: connections}
	patient     = &http.Client{Timeout: 30 * time.Second, Transport: connections}
)

// post tries once; status 0 means that there was no answer.
func post(client *http.Client, url, body, key string) (status int, answer string, replayed bool) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error(), false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error(), false
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error(), false
	}
	return response.StatusCode, string(content), response.Header.Get("Idempotent-Replayed") == "true"
}

// problemCode is the code of a problem, "" of anything else.
func problemCode(body string) string {
	var problem struct{ Code string }
	if json.Unmarshal([]byte(body), &problem) != nil {
		return ""
	}
	return problem.Code
}
