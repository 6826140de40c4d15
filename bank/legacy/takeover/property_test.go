package takeover_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"passbook/bank/legacy/takeover"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// movement is an event of a history as the test knows it.
type movement struct {
	class   string
	amount  float64
	version int32
	spoilt  bool // in a way that the amount does not show
}

var classes = []string{contract.LegacyClassOpened, contract.LegacyClassDeposited, contract.LegacyClassWithdrawn, contract.LegacyClassClosed}

// spoilings are ways to make a document something else than it should be.
var spoilings = []func(bson.D) bson.D{
	with("more", 1), with("._id", "another"), with("eventType", "com.example.Else"), without("eventData"), without("timeStamp"),
	with(".version", int32(99)), with("timeStamp", bson.DateTime(5)), with("version", "one"),
}

// drawHistory writes accounts that are mostly all right, one event at a time of
// any of them.
func drawHistory(t *rapid.T) (*source, map[string][]movement) {
	s, histories := &source{}, make(map[string][]movement)
	accounts := []string{"a", "b", "c", "d"}
	next := make(map[string]int32)
	for range rapid.IntRange(0, 40).Draw(t, "events") {
		id := rapid.SampledFrom(accounts).Draw(t, "account")
		m := movement{class: classes[1+rapid.IntRange(0, 1).Draw(t, "class")], version: next[id]}
		if len(histories[id]) == 0 {
			m.class = contract.LegacyClassOpened
		}
		m.amount = float64(rapid.IntRange(1, 100_000).Draw(t, "cents")) / 100
		if rapid.IntRange(0, 9).Draw(t, "dirty") == 0 {
			drawDirt(t, &m)
		}
		next[id] = max(next[id], m.version) + 1
		histories[id] = append(histories[id], m)
		write(t, s, id, m)
	}
	s.opened("good", 0, 1)
	histories["good"] = []movement{{class: contract.LegacyClassOpened, amount: 1}}
	return s, histories
}

func drawDirt(t *rapid.T, m *movement) {
	switch rapid.IntRange(0, 4).Draw(t, "dirt") {
	case 0:
		m.class = rapid.SampledFrom(classes).Draw(t, "other class")
	case 1:
		m.amount = rapid.SampledFrom([]float64{
			0, -5, 137.29999999999998, -0.001, 0.005, math.NaN(), math.Inf(-1), 1e12, 1e70, 1e300, 5e-324, 999_999_999_999.99,
		}).Draw(t, "amount")
	case 2:
		m.version += rapid.Int32Range(1, 3).Draw(t, "gap")
	case 3:
		m.version = max(0, m.version-rapid.Int32Range(1, 3).Draw(t, "back"))
	case 4:
		m.spoilt = true
	}
}

func write(t *rapid.T, s *source, id string, m movement) {
	var change []func(bson.D) bson.D
	if m.spoilt {
		change = append(change, rapid.SampledFrom(spoilings).Draw(t, "spoiling"))
	}
	switch m.class {
	case contract.LegacyClassOpened:
		s.opened(id, m.version, m.amount, change...)
	case contract.LegacyClassDeposited:
		s.deposited(id, m.version, m.amount, change...)
	case contract.LegacyClassWithdrawn:
		s.withdrawn(id, m.version, m.amount, change...)
	default:
		s.closed(id, m.version, change...)
	}
}

// Whatever is in a store and whatever rules are chosen: each account is left out
// and listed, or is what its own rules allow; one in which nothing was found is
// what it was, event by event; and all that again is the same.
func TestAnyHistoryUnderAnyRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, histories := drawHistory(t)
		var rules []string
		for _, kind := range takeover.Kinds() {
			choice := rapid.SampledFrom(kind.Choices).Draw(t, string(kind.Kind))
			rules = append(rules, string(kind.Kind)+"="+choice.String())
		}
		report, all := takeOver(t, s, rules...)
		states := requireSound(t, all)

		leftOut := make(map[string]bool)
		for _, a := range report.LeftOut {
			leftOut[a.Account] = true
		}
		irregular := make(map[string]bool)
		for _, i := range report.Irregularities {
			for _, f := range i.Accounts {
				irregular[f.Account] = true
			}
		}
		for id, history := range histories {
			_, taken := states[id]
			require.NotEqual(t, taken, leftOut[id], "account %s is in the store or listed", id)
			if !irregular[id] {
				require.True(t, taken)
				requireAsItWas(t, history, id, all)
			}
		}
		for _, c := range report.Corrected {
			require.True(t, irregular[c.Account])
			require.Equal(t, states[c.Account].Balance, c.Balance)
		}
		_, again := takeOver(t, s, rules...)
		require.Equal(t, all, again)
	})
}

func requireAsItWas(t *rapid.T, history []movement, id string, all []event.Envelope) {
	var there, here []float64
	for _, m := range history {
		there = append(there, m.amount)
	}
	for _, l := range lines(t, all) {
		if l.Stream != id {
			continue
		}
		switch p := l.Payload.(type) {
		case contract.Opened:
			here = append(here, float64(p.OpeningBalance.Minor())/100)
		case contract.Deposited:
			here = append(here, float64(p.Amount.Minor())/100)
		case contract.Withdrawn:
			here = append(here, float64(p.Amount.Minor())/100)
		default:
			here = append(here, history[len(here)].amount) // a closing has none
		}
	}
	require.Equal(t, there, here)
}

// corrections take over as much as can be.
var corrections = []string{
	"unknown-type=leave-out-event", "unknown-member=leave-out-account", "malformed=leave-out-event", "contradiction=leave-out-account",
	"missing-time=from-id", "duplicate-version=renumber", "out-of-order=renumber", "gap=renumber", "before-opening=leave-out-event",
	"second-opening=leave-out-event", "after-closing=leave-out-event", "not-a-number=zero", "inexact-amount=round",
	"over-limit=leave-out-event", "negative-opening=zero", "negative-deposit=as-withdrawal", "zero-deposit=leave-out-event",
	"negative-withdrawal=as-deposit", "zero-withdrawal=leave-out-event", "overdraft=leave-out-event", "closing-with-money=keep",
}

// model is what somebody would do with pencil and paper under these corrections:
// cents as whole numbers, and one movement after the other.
func model(history []movement) (cents int64, exists bool) {
	const limit = 99_999_999_999_999
	closed := false
	for _, m := range history {
		if m.spoilt {
			continue
		}
		exact := math.Abs(m.amount) * 100
		change := int64(math.Floor(exact + 0.5 + 1e-6))
		if math.IsNaN(m.amount) || math.IsInf(m.amount, 0) {
			change, exact = 0, 0
		}
		switch {
		case m.class == contract.LegacyClassClosed:
			closed = closed || exists
			continue
		case exact > limit || closed:
			continue
		case (m.amount < 0) != (m.class == contract.LegacyClassWithdrawn):
			change = -change
		}
		if m.class == contract.LegacyClassOpened {
			if !exists {
				cents, exists = max(change, 0), true
			}
			continue
		}
		if sum := cents + change; exists && sum >= 0 && sum <= limit {
			cents = sum
		}
	}
	return cents, exists
}

// With all corrections, each account has the balance that it has on paper.
func TestBalancesUnderCorrections(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, histories := drawHistory(t)
		report, all := takeOver(t, s, corrections...)
		states := requireSound(t, all)
		for id, history := range histories {
			if spoilt := slices.ContainsFunc(history, func(m movement) bool { return m.spoilt }); spoilt {
				continue // some of those events count, depending on how they are spoilt
			}
			cents, exists := model(history)
			state, taken := states[id]
			require.Equal(t, exists, taken, "%s: %v: %+v", id, history, report)
			if taken {
				require.Equal(t, cents, state.Balance.Minor(), "%s: %v", id, history)
			}
		}
	})
}

// What is said of versions is what counting them says.
func TestVersions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Int32Range(0, 8), 1, 12).Draw(t, "versions")
		s, seen, highest := &source{}, make(map[int32]bool), int32(-1)
		want := make(map[takeover.Kind]int64)
		for i, n := range numbers {
			if i == 0 {
				s.opened("a", n, 1)
			} else {
				s.deposited("a", n, 1)
			}
			switch {
			case seen[n]:
				want[takeover.DuplicateVersion]++
			case n < highest:
				want[takeover.OutOfOrder]++
			}
			seen[n], highest = true, max(highest, n)
		}
		if len(seen) <= int(highest) {
			want[takeover.Gap] = 1
		}
		got := make(map[takeover.Kind]int64)
		for _, i := range check(t, s).Report.Irregularities {
			got[i.Kind] = i.Accounts[0].Events
		}
		require.Equal(t, want, got)
	})
}
