package cluster_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
)

// testBrokersAway has no broker for a while: commands do not mind, the relay
// says what it misses, and then everything is published.
func testBrokersAway(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 2, 2, 4)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	before := l.rate(*outage / 4)
	e.kill(t, e.brokers...)
	during := l.rate(*outage)
	relay := b.awaitUnready(b.relay...) // one that loses its lease meanwhile cannot begin again
	require.NotZero(t, l.acked.Load())
	t.Logf("commands with brokers %.0f/s, without %.0f/s: %.2f of it", before, during, during/before)
	t.Logf("the relay says: %s", relay.unready())
	e.restart(t, "kafka")
	l.finish()
	published := b.awaitCaughtUp(l)
	if *long {
		require.GreaterOrEqual(t, during/before, 0.9, "commands slow down without brokers")
		require.LessOrEqual(t, published.took, published.bound, "the relay takes too long to catch up")
	}
	b.awaitReady()
	b.judge(l)
}

// testMySQLAway has no read side for a while.
func testMySQLAway(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 1, 2, 2)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	before := l.rate(*outage / 4)
	e.kill(t, e.mysql)
	during := l.rate(*outage / 4)
	t.Logf("commands with MySQL %.0f/s, without %.0f/s: %.2f of it", before, during, during/before)
	for _, p := range b.query {
		b.awaitUnready(p)
		status, answer := fetch(p.base() + "/api/v2/accounts/" + l.accounts[0].id)
		t.Logf("a query is answered %d %s; readiness: %s", status, answer, p.unready())
		require.GreaterOrEqual(t, status, http.StatusInternalServerError)
	}
	for _, p := range b.notify {
		b.awaitUnready(p)
	}
	e.restart(t, "mysql")
	began := time.Now()
	l.finish()
	b.awaitReady()
	b.judgeQueries(l)
	t.Logf("queries have caught up %v after MySQL was back", time.Since(began).Round(time.Millisecond))
	b.judge(l)
}

// testNoMajority kills the two members that are not the primary: what it writes
// then may stay or be rolled back. No command is acknowledged meanwhile, and none
// that was refused as unavailable is done later.
func testNoMajority(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 1, 1, 1)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	l.await(*commands / 20)
	e.kill(t, e.others(e.primary(t))...)
	answers := b.askWithoutMajority(l)
	e.restart(t, "mongodb")
	l.finish()
	b.awaitReady()
	for _, a := range answers {
		b.settleAnswer(l, a)
	}
	b.judge(l)
}

// rate is how many commands were acknowledged in a second, over a while.
func (l *load) rate(over time.Duration) float64 {
	before := l.acked.Load()
	moment(over)
	return float64(l.acked.Load()-before) / over.Seconds()
}

// awaitUnready waits until one of some processes says that it is not ready, and
// returns it.
func (b *bank) awaitUnready(some ...*process) *process {
	b.t.Helper()
	var found *process
	await(b.t, func() string {
		for _, p := range some {
			if p.unready() != "" {
				found = p
			}
		}
		return unless(found != nil, "each %s process says that it is ready", some[0].role)
	})
	return found
}

type catchUp struct{ took, bound time.Duration }

// awaitCaughtUp follows the relay until everything is published. The bound is
// what the backlog takes at the rate of the middle half of it, and 10 s.
func (b *bank) awaitCaughtUp(l *load) catchUp {
	b.t.Helper()
	total, first, began := l.events(), max(b.published(), 0), time.Now()
	backlog := total - first
	var quarter, last time.Time
	awaitProgress(b.t, func() (int64, string) {
		at := b.published()
		if at-first >= backlog/4 && quarter.IsZero() {
			quarter = time.Now()
		}
		if at-first >= backlog*3/4 && last.IsZero() {
			last = time.Now()
		}
		return at, unless(at >= total, "the feed has %d records, want %d", at, total)
	})
	c := catchUp{took: time.Since(began), bound: 2*last.Sub(quarter) + 10*time.Second}
	b.t.Logf("backlog %d events: published %v after the brokers were back and the load was over; backlog / rate + 10 s is %v",
		backlog, c.took.Round(time.Millisecond), c.bound.Round(time.Millisecond))
	return c
}

// attempt is a command that was sent once, under a key.
type attempt struct {
	ledger *ledger
	request
	status int
	body   string
}

// askWithoutMajority sends commands once each and returns what they were
// answered.
func (b *bank) askWithoutMajority(l *load) []attempt {
	b.t.Helper()
	attempts := make([]attempt, 2*clients)
	var wg sync.WaitGroup
	for i := range attempts {
		wg.Go(func() {
			key, a := event.NewID(), l.accounts[i%len(l.accounts)]
			r := request{
				path: "/api/v2/accounts/" + a.id + "/deposits", key: key, cents: 1,
				body: fmt.Sprintf(`{"amount":{"amount":"0.01","currency":"EUR"},"reference":%q}`, key),
			}
			status, body, _ := post(patient, b.command[i%len(b.command)].base()+r.path, r.body, key)
			attempts[i] = attempt{a, r, status, body}
		})
	}
	wg.Wait()
	counts := make(map[string]int)
	for _, a := range attempts {
		counts[fmt.Sprintf("%d %s", a.status, problemCode(a.body))]++
		known := a.status == 0 || a.status == http.StatusServiceUnavailable && problemCode(a.body) == "unavailable" ||
			a.status == http.StatusGatewayTimeout && problemCode(a.body) == "outcome-unknown"
		require.True(b.t, known, "without a majority a command is answered %d: %s", a.status, a.body)
	}
	b.t.Logf("without a majority: %v (0 is no answer in %v)", counts, patient.Timeout)
	return attempts
}

// settleAnswer repeats what was left open, which then is there once. What was
// unavailable is not repeated: it must not be there at all.
func (b *bank) settleAnswer(l *load, a attempt) {
	b.t.Helper()
	if a.status == http.StatusServiceUnavailable {
		return
	}
	status, body, _ := post(patient, b.command[0].base()+a.path, a.request.body, a.key)
	require.Equal(b.t, http.StatusCreated, status, body)
	require.NoError(b.t, l.acknowledge(a.ledger, a.request, body))
}
