package readmodel_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/contract/account"
	"passbook/es/event"
)

// naive is an account as plain integers say that it is.
type naive struct {
	currency string
	scale    int64
	minor    int64
	status   string
	entries  []string
}

func (n *naive) text(minor int64) string {
	if n.scale == 1 {
		return strconv.FormatInt(minor, 10)
	}
	digits := len(strconv.FormatInt(n.scale, 10)) - 1
	return fmt.Sprintf("%d.%0*d", minor/n.scale, digits, minor%n.scale)
}

// modelled is a history with its accounts, folded in the simplest way.
type modelled struct {
	*history
	accounts map[string]*naive
}

func drawHistory(t *rapid.T, prefix string) modelled {
	m := modelled{newHistory(), make(map[string]*naive)}
	scales := map[string]int64{"JPY": 1, "EUR": 100, "KWD": 1000, "CLF": 10_000}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		id := prefix + rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "account")
		n, ok := m.accounts[id]
		if !ok {
			currency := rapid.SampledFrom([]string{"JPY", "EUR", "KWD", "CLF"}).Draw(t, "currency")
			n = &naive{currency: currency, scale: scales[currency], status: "OPEN"}
			m.accounts[id] = n
		}
		minor := rapid.Int64Range(1, 1_000_000_007).Draw(t, "amount")
		amount := must(account.NewMoney(minor, must(account.ParseCurrency(n.currency))))
		var kind string
		shown := n.text(minor)
		switch {
		case !ok:
			kind, n.minor = "OPENED", minor
			m.open(id, "Holder "+id, amount)
		case n.status == "OPEN" && rapid.IntRange(0, 9).Draw(t, "closes") == 0:
			kind, shown, n.status = "CLOSED", "<nil>", "CLOSED"
			m.close(id)
		case n.minor >= minor && rapid.Bool().Draw(t, "withdraws"):
			kind, n.minor = "WITHDRAWN", n.minor-minor
			m.withdraw(id, amount, "")
		default:
			kind, n.minor = "DEPOSITED", n.minor+minor
			m.deposit(id, amount)
		}
		version := len(n.entries)
		n.entries = append(n.entries, fmt.Sprintf("%s|%d|%s/%d|%s|%s|%s", id, version, id, version, kind, shown, n.text(n.minor)))
	}
	return m
}

func (m modelled) rows() (accounts, entries []string) {
	for _, id := range slices.Sorted(maps.Keys(m.accounts)) {
		n := m.accounts[id]
		last := len(n.entries) - 1
		accounts = append(accounts, fmt.Sprintf("%s|Holder %s|%s|%s|%d|%s|%d|%s/%d",
			id, id, n.text(n.minor), n.currency, n.minor*(10_000/n.scale), n.status, last, id, last))
		entries = append(entries, n.entries...)
	}
	return accounts, entries
}

// redelivered returns events as a topic of a relay may hold them: each stream
// without a gap, and any part of what was published again and again.
func redelivered(t *rapid.T, events []event.Envelope) (published []event.Envelope) {
	for i := 0; i < len(events); {
		if i > 0 && rapid.IntRange(0, 3).Draw(t, "repeats") == 0 {
			from := rapid.IntRange(0, i-1).Draw(t, "from")
			to := rapid.IntRange(from+1, i).Draw(t, "to")
			published = append(published, events[from:to]...)
		}
		published = append(published, events[i])
		i++
	}
	return published
}

// Through a projection, with runs of any length, repeats, and topics that are
// made anew and so read from the beginning, the tables say what plain arithmetic
// says.
func TestModel_AgreesWithNaiveFold(t *testing.T) { onEngines(t, testModelAgreesWithNaiveFold) }

func testModelAgreesWithNaiveFold(t *testing.T, newScene func(testing.TB) *scene) {
	s, n := newScene(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		// Accounts and consumer of its own are as good as a database of its own.
		n++
		s.consumer = fmt.Sprint("consumer", n)
		m := drawHistory(rt, fmt.Sprint(n, "-"))
		for life := range rapid.IntRange(1, 3).Draw(rt, "lives of the topic") {
			// An earlier life may end anywhere; the last has everything.
			p := s.projection(rapid.IntRange(1, 12).Draw(rt, "run"))
			tp := topic(fmt.Sprint("t", life), redelivered(rt, m.events)...)
			for range rapid.IntRange(0, 6).Draw(rt, "runs") {
				_, err := p.RunOnce(t.Context(), tp, tp.Topic)
				require.NoError(rt, err)
			}
		}
		p := s.projection(rapid.IntRange(1, 12).Draw(rt, "run"))
		tp := topic("last", redelivered(rt, m.events)...)
		require.NoError(rt, p.RunToEnd(t.Context(), tp, tp.Topic))

		parked, err := p.Parked(t.Context(), "", 10)
		require.NoError(rt, err)
		require.Empty(rt, parked)
		accounts, entries := m.rows()
		require.Equal(rt, accounts, s.rows(
			`SELECT id, account_holder, balance, currency, balance_units, status, version, event_id `+
				`FROM bank_account WHERE id LIKE ? ORDER BY id`, fmt.Sprint(n, "-%")))
		require.Equal(rt, entries, s.rows(
			`SELECT account_id, version, event_id, kind, amount, balance `+
				`FROM account_entry WHERE account_id LIKE ? ORDER BY account_id, version`, fmt.Sprint(n, "-%")))
	})
}
