package bench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"passbook/contract/account"
	"passbook/es/event"
)

// traffic makes up the events of some accounts: each is opened, then money comes
// in. Sizes are those of what the command API writes. Used by one goroutine.
type traffic struct {
	chance   *rand.Rand
	accounts []*holder
	moves    int // after so many an account is followed by a new one; 0: never
}

type holder struct {
	id      string
	version int64 // of the last event
	minor   int64
	time    time.Time
}

func newTraffic(accounts, moves int) *traffic {
	t := &traffic{chance: rand.New(rand.NewPCG(1, 2)), moves: moves} //nolint:gosec // figures want the same load each time
	for range accounts {
		t.accounts = append(t.accounts, newHolder())
	}
	return t
}

func newHolder() *holder { return &holder{id: event.NewID(), version: event.NoVersion} }

// next makes up one event of some account, behind the last of that account.
func (t *traffic) next() event.Envelope {
	i := t.chance.IntN(len(t.accounts))
	if t.moves > 0 && t.accounts[i].version >= int64(t.moves) {
		t.accounts[i] = newHolder()
	}
	return t.accounts[i].next()
}

func (h *holder) next() event.Envelope {
	h.version++
	h.time = event.Truncate(time.Now())
	e := event.Envelope{
		ID: event.NewID(), Stream: h.id, Category: account.AggregateType, Version: h.version, Time: h.time,
		Metadata: event.Metadata{CorrelationID: event.NewID()},
	}
	if h.version == 0 {
		e.Type = event.Type{Name: account.OpenedName, Schema: account.OpenedSchema}
		e.Data = []byte(`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":{"amount":"0.00","currency":"EUR"}}`)
		return e
	}
	h.minor += 1250
	e.Type = event.Type{Name: account.DepositedName, Schema: account.DepositedSchema}
	e.Data = fmt.Appendf(nil, `{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"%d.%02d","currency":"EUR"},"reference":"standing order"}`,
		h.minor/100, h.minor%100)
	return e
}

// history makes up the first n events of a store.
func history(n int) []event.Envelope {
	t := newTraffic(max(1, n/eventsPerAccount), 0)
	events := make([]event.Envelope, n)
	for i := range events {
		events[i] = t.next()
		events[i].Position = int64(i) + 1
	}
	return events
}

// eventsPerAccount is how many events an account has in a history.
const eventsPerAccount = 10

// historyOf is how many events keep a part of the system busy for a while, and
// are not so many that making them up takes longer than measuring.
func historyOf(d time.Duration) int {
	const least, perSecond, most = 2000, 20_000, 400_000
	return min(most, max(least, int(d.Seconds()*perSecond)))
}
