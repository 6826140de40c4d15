package commandapi_test

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/account"
	"passbook/bank/commandapi"
	contract "passbook/contract/account"
	"passbook/es/command"
	"passbook/es/event"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests; 0 takes another each time")

// random is a generator whose seed is printed, so that a failure can be had
// again.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, s))
}

// reference is the bank as a person would write it down from the contract: one
// number for each account, and the sentences in the order in which they are
// promised. It shares no code with what it is compared with.
type reference map[string]*entry

type entry struct {
	cents   *big.Int
	closed  bool
	version int64
}

var mostCents = big.NewInt(99_999_999_999_999)

func (r reference) open(id string, cents *big.Int) string {
	switch {
	case cents.Sign() < 0:
		return "openingBalance must not be negative"
	case r[id] != nil:
		return "An account with this ID already exists!"
	}
	r[id] = &entry{cents: new(big.Int).Set(cents)}
	return ""
}

func (r reference) deposit(id string, cents *big.Int) string {
	a := r[id]
	if a == nil {
		return "Incorrect account ID provided!"
	}
	if a.closed {
		return "Funds cannot be deposited into a closed bank account!"
	}
	if cents.Sign() <= 0 {
		return "The deposit amount must be greater than 0!"
	}
	sum := new(big.Int).Add(a.cents, cents)
	if sum.Cmp(mostCents) > 0 {
		return "Deposit declined, the balance would pass 999999999999.99 EUR!"
	}
	a.cents, a.version = sum, a.version+1
	return ""
}

func (r reference) withdraw(id string, cents *big.Int) string {
	a := r[id]
	if a == nil {
		return "Incorrect account ID provided!"
	}
	if cents.Cmp(a.cents) > 0 {
		return "Withdraw declined, insufficient funds!"
	}
	if a.closed {
		return "Funds cannot be withdrawn from a closed account!"
	}
	if cents.Sign() <= 0 {
		return "The withdraw amount must be greater than 0!"
	}
	a.cents, a.version = new(big.Int).Sub(a.cents, cents), a.version+1
	return ""
}

func (r reference) close(id string) string {
	a := r[id]
	if a == nil {
		return "Incorrect account ID provided!"
	}
	if a.closed {
		return "Bank account has already been closed!"
	}
	a.closed, a.version = true, a.version+1
	return ""
}

// walk gives random commands to both.
type walk struct {
	t         *testing.T
	random    *rand.Rand
	bank      *bank
	commands  *command.Dispatcher
	reference reference
	ids       []string // of accounts that are open, or were lately
	last      int      // number of the newest id
	outcomes  map[string]int
}

// cents is an amount near something that matters: 0, the balance, the room up
// to the limit, the limit.
func (w *walk) cents(id string) *big.Int {
	most := mostCents.Int64()
	balance := int64(0)
	if a := w.reference[id]; a != nil {
		balance = a.cents.Int64()
	}
	near := []int64{0, balance, most - balance, most}[w.random.IntN(4)] + int64(w.random.IntN(7)) - 3
	if w.random.IntN(3) == 0 {
		near = int64(w.random.IntN(10_000))
	}
	if w.random.IntN(50) == 0 {
		near = w.random.Int64N(most)
	}
	return big.NewInt(max(min(near, most), -most)) // there are no amounts beyond
}

func money(t *testing.T, cents *big.Int) contract.Money {
	t.Helper()
	m, err := contract.NewMoney(cents.Int64(), currency(t, "EUR"))
	require.NoError(t, err)
	return m
}

// step gives one command, and returns the account and what the reference says.
func (w *walk) step() (id string, c any, want string) {
	id = w.ids[w.random.IntN(len(w.ids))]
	switch n := w.random.IntN(1000); {
	case n < 20: // a new account takes the place of another
		w.last++
		id = fmt.Sprintf("a-%d", w.last)
		w.ids[w.random.IntN(len(w.ids))] = id
		fallthrough
	case n < 25: // or of itself, which is refused
		cents := w.cents(id)
		c := account.OpenAccount{AccountID: id, Holder: "John Doe", Type: contract.Savings, OpeningBalance: money(w.t, cents)}
		return id, c, w.reference.open(id, cents)
	case n < 35:
		return id, account.CloseAccount{AccountID: id, AllowBalance: true}, w.reference.close(id)
	case n < 515:
		cents := w.cents(id)
		return id, account.DepositFunds{AccountID: id, Amount: money(w.t, cents)}, w.reference.deposit(id, cents)
	default:
		cents := w.cents(id)
		return id, account.WithdrawFunds{AccountID: id, Amount: money(w.t, cents)}, w.reference.withdraw(id, cents)
	}
}

// compare holds the dispatcher's answer against the reference's.
func (w *walk) compare(id string, c any, want string) {
	w.t.Helper()
	result, err := w.commands.Send(w.t.Context(), command.Circumstances{ID: event.NewID()}, c)
	w.outcomes[want]++
	if want != "" {
		refusal, ok := errors.AsType[*account.Refusal](err)
		require.True(w.t, ok, "%+v: want refusal %q, got %v", c, want, err)
		require.Equal(w.t, want, refusal.Message, "%+v", c)
		return
	}
	require.NoError(w.t, err, "%+v", c)
	require.Equal(w.t, id, result.Stream)
	require.Equal(w.t, w.reference[id].version, result.Version)
}

// balances compares every account there ever was, from its events.
func (w *walk) balances() {
	w.t.Helper()
	for id, a := range w.reference {
		state, version, err := w.bank.accounts.Load(w.t.Context(), id, -1)
		require.NoError(w.t, err)
		require.Equal(w.t, a.cents.Int64(), state.Balance.Minor(), id)
		require.Equal(w.t, a.closed, state.Closed(), id)
		require.Equal(w.t, a.version, version, id)
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	steps := 100_000
	if testing.Short() {
		steps = 5_000
	}
	b := open(t)
	w := &walk{
		t: t, random: random(t), bank: b, commands: commandapi.NewDispatcher(b.accounts),
		reference: reference{}, ids: []string{"a-1", "a-2", "a-3", "a-4", "a-5"}, last: 5, outcomes: map[string]int{},
	}
	for range steps {
		w.compare(w.step())
	}
	w.balances()
	// A walk that never meets a rule says nothing about it.
	require.Len(t, w.outcomes, 11, "%v", w.outcomes)
	t.Logf("%d accounts, %v", len(w.reference), w.outcomes)
}
