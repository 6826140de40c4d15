package cluster_test

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// ledger is what the clients were told of one account, and nothing else.
type ledger struct {
	id string
	// newest is the highest version that was acknowledged so far, -1 before the
	// opening is.
	newest atomic.Int64

	mu       sync.Mutex
	acked    map[int64]movement // by version
	refusals []refusal
}

// movement is a command that was acknowledged.
type movement struct {
	key      string // the reference in the event too; of an opening the holder
	cents    int64  // signed
	balance  int64
	position int64
}

// refusal is a withdrawal for which there was not enough money.
type refusal struct {
	cents int64
	since int64 // the highest version that was acknowledged before it was asked
}

func newLedger(id string) *ledger {
	l := &ledger{id: id, acked: make(map[int64]movement)}
	l.newest.Store(-1)
	return l
}

// note takes down an acknowledgement. One version is acknowledged for one
// command only; the same command may be acknowledged again, and then equally.
func (l *ledger) note(version int64, m movement) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, known := l.acked[version]; known && before != m {
		return fmt.Errorf("account %s, version %d: acknowledged as %+v and as %+v", l.id, version, before, m)
	}
	l.acked[version] = m
	if version > l.newest.Load() {
		l.newest.Store(version)
	}
	return nil
}

func (l *ledger) noteRefusal(r refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusals = append(l.refusals, r)
}

// end is the last version and the balance at it.
func (l *ledger) end() (version, balance int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	version = l.newest.Load()
	return version, l.acked[version].balance
}

// money is an amount as the API has it.
type money struct {
	Amount, Currency string
}

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// cents reads an exact decimal with two places; -1 if it is none.
func (m money) cents() int64 {
	var whole, part int64
	if n, err := fmt.Sscanf(m.Amount, "%d.%02d", &whole, &part); n != 2 || err != nil || m.Currency != "EUR" ||
		euros(whole*100+part) != m.Amount {
		return -1
	}
	return whole*100 + part
}
