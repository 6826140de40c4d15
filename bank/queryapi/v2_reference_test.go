package queryapi_test

import (
	"cmp"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/contract/account"
)

// reference is what the events say, worked out in the simplest way there is.
type reference struct {
	b        *bank
	accounts map[string]*referenceAccount
}

// referenceAccount is an account after each of its events.
type referenceAccount struct {
	states  []accountBody
	entries []entryBody
	times   []int64 // of the events, in microseconds
	since   []int64 // the latest of the times up to each event
}

func (a *referenceAccount) last() accountBody { return a.states[len(a.states)-1] }

// drawEvents applies random events in batches of any size. Times of one account
// go up and down, as imported ones do.
func drawEvents(t *rapid.T, b *bank) reference {
	r := reference{b, map[string]*referenceAccount{}}
	for range rapid.IntRange(0, 40).Draw(t, "events") {
		id := rapid.SampledFrom([]string{"a", "A", "b", "0", "a.b", "-", "zz"}).Draw(t, "account")
		micros := rapid.Int64Range(0, 30).Draw(t, "time")
		a, ok := r.accounts[id]
		if !ok {
			a = &referenceAccount{}
			r.accounts[id] = a
			r.open(t, a, id, micros)
			continue
		}
		amount := rapid.SampledFrom([]string{"1", "3", "10"}).Draw(t, "amount") + " " + a.last().Balance.Currency
		next := a.last()
		entry := entryBody{Amount: r.shown(amount)}
		switch choice := rapid.IntRange(0, 9).Draw(t, "what"); {
		case choice == 0:
			next.Status, entry.Kind, entry.Amount = "CLOSED", "CLOSED", nil
			r.apply(a, next, entry, micros, func() { b.apply(at(b.closing(id), micros)) })
		case choice < 5 && b.balances[id].Minor() >= b.money(amount).Minor():
			entry.Kind, entry.Reference = "WITHDRAWN", rapid.SampledFrom([]string{"", "Rent, \"May\""}).Draw(t, "reference")
			r.apply(a, next, entry, micros, func() { b.apply(at(b.withdraw(id, amount, entry.Reference), micros)) })
		default:
			entry.Kind = "DEPOSITED"
			r.apply(a, next, entry, micros, func() { b.apply(at(b.deposit(id, amount), micros)) })
		}
	}
	return r
}

func (r reference) open(t *rapid.T, a *referenceAccount, id string, micros int64) {
	balance := rapid.SampledFrom([]string{"0.00 EUR", "1.00 EUR", "2.50 EUR", "5 JPY", "5.000 KWD"}).Draw(t, "opening")
	holder := rapid.SampledFrom([]string{"John", "john", "Zoë", " x"}).Draw(t, "holder")
	kind := rapid.SampledFrom([]account.Type{account.Savings, account.Current}).Draw(t, "type")
	next := accountBody{
		ID: id, AccountHolder: holder, AccountType: string(kind), Status: "OPEN", CreatedAt: moment(micros), Version: -1,
	}
	r.apply(a, next, entryBody{Kind: "OPENED", Amount: r.shown(balance)}, micros, func() {
		r.b.balances[id] = r.b.money(balance)
		r.b.apply(at(r.b.event(id, account.OpenedName, account.Opened{
			AccountHolder: holder, AccountType: kind, OpeningBalance: r.b.balances[id],
		}), micros))
	})
}

func (r reference) shown(money string) *moneyBody {
	m := r.b.money(money)
	return &moneyBody{Amount: m.Amount(), Currency: m.Currency().Code()}
}

// apply applies an event, and notes what is to be seen of it.
func (r reference) apply(a *referenceAccount, next accountBody, entry entryBody, micros int64, do func()) {
	do()
	balance := r.b.balances[next.ID]
	next.Balance = moneyBody{Amount: balance.Amount(), Currency: balance.Currency().Code()}
	next.Version++
	entry.Version, entry.Balance, entry.Time = next.Version, next.Balance, moment(micros)
	a.times = append(a.times, micros)
	a.since = append(a.since, slices.Max(a.times))
	next.UpdatedAt = moment(slices.Max(a.times))
	a.states, a.entries = append(a.states, next), append(a.entries, entry)
}

func units(m moneyBody) *big.Rat {
	number, _ := new(big.Rat).SetString(m.Amount)
	return number
}

// list answers a question for accounts.
func (r reference) list(q url.Values) []accountBody {
	found := []accountBody{}
	for _, a := range r.accounts {
		one := a.last()
		lowest, isLow := new(big.Rat).SetString(q.Get("minBalance"))
		highest, isHigh := new(big.Rat).SetString(q.Get("maxBalance"))
		if is := func(name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }; is("holder", one.AccountHolder) &&
			is("type", one.AccountType) && is("status", one.Status) && is("currency", one.Balance.Currency) &&
			(!isLow || units(one.Balance).Cmp(lowest) >= 0) && (!isHigh || units(one.Balance).Cmp(highest) <= 0) {
			found = append(found, one)
		}
	}
	by, descending := strings.CutPrefix(q.Get("sort"), "-")
	slices.SortFunc(found, func(a, b accountBody) int {
		order := strings.Compare(a.ID, b.ID)
		switch by {
		case "balance":
			order = cmp.Or(units(a.Balance).Cmp(units(b.Balance)), order)
		case "accountHolder":
			order = cmp.Or(strings.Compare(a.AccountHolder, b.AccountHolder), order)
		default:
			order = cmp.Or(instant(a.CreatedAt).Compare(instant(b.CreatedAt)), order)
		}
		if descending {
			return -order
		}
		return order
	})
	return found
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err) // the reference made it
	}
	return t
}

func (r reference) severalCurrencies() bool {
	seen := map[string]bool{}
	for _, a := range r.accounts {
		seen[a.last().Balance.Currency] = true
	}
	return len(seen) > 1
}

// Lists, pages, past states and statements are those of the plain reference.
func TestV2_AgreesWithReference(t *testing.T) {
	b := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		b.empty()
		r := drawEvents(rt, b)
		for range 12 {
			checkList(rt, r)
		}
		for _, id := range []string{"a", "A", "zz"} {
			checkPast(rt, r, id)
			checkStatement(rt, r, id)
		}
	})
}

func checkList(t *rapid.T, r reference) {
	q := url.Values{"pageSize": {strconv.Itoa(rapid.IntRange(1, 9).Draw(t, "page"))}}
	for _, parameter := range [][]string{
		{"holder", "John", "john", "Zoë", "nobody"}, {"type", "SAVINGS", "CURRENT"}, {"status", "OPEN", "CLOSED"},
		{"currency", "EUR", "JPY"}, {"minBalance", "0", "1.00", "2.5", "5", "-1"}, {"maxBalance", "5", "5.0001", "10", "100"},
		{"sort", "createdAt", "-createdAt", "balance", "-balance", "accountHolder", "-accountHolder"},
	} {
		name := parameter[0]
		if rapid.IntRange(0, 2).Draw(t, name+" given") == 0 || name == "sort" {
			q.Set(name, rapid.SampledFrom(parameter[1:]).Draw(t, name))
		}
	}
	bounded := q.Has("minBalance") || q.Has("maxBalance")
	switch currency := q.Get("currency"); {
	case bounded && currency == "" && r.severalCurrencies():
		require.Equal(t, http.StatusBadRequest, r.b.ask(accountsV2, q).status)
		return
	case bounded && currency == "EUR":
		q.Set("maxBalance", strings.Replace(q.Get("maxBalance"), "5.0001", "5", 1)) // which has too many decimals
	case bounded && currency == "JPY":
		q.Set("minBalance", "5")
		q.Set("maxBalance", "10")
	}
	require.Equal(t, r.list(q), append([]accountBody{}, r.b.walk(t, accountsV2, q).Accounts...), "%v", q)
}

func checkPast(t *rapid.T, r reference, id string) {
	path := accountsV2 + "/" + id
	a, ok := r.accounts[id]
	if !ok {
		require.Equal(t, http.StatusNotFound, r.b.ask(path, nil).status)
		require.Equal(t, http.StatusNotFound, r.b.ask(path, url.Values{"atVersion": {"0"}}).status)
		return
	}
	require.Equal(t, a.last(), decodeBody[accountBody](t, r.b.ask(path, nil)))
	for version, want := range a.states {
		require.Equal(t, want, decodeBody[accountBody](t, r.b.ask(path, url.Values{"atVersion": {strconv.Itoa(version)}})))
	}
	micros := rapid.Int64Range(-2, 33).Draw(t, "moment")
	// Half a microsecond later nothing else has happened.
	then := opened.Add(time.Duration(micros)*time.Microsecond + time.Duration(rapid.SampledFrom([]int{0, 500, 999}).Draw(t, "nanos")))
	version := -1
	for version+1 < len(a.times) && a.times[version+1] <= micros {
		version++
	}
	got := r.b.ask(path, url.Values{"at": {then.Format(time.RFC3339Nano)}})
	if version < 0 {
		require.Equal(t, http.StatusNotFound, got.status)
		return
	}
	require.Equal(t, a.states[version], decodeBody[accountBody](t, got))
}

func checkStatement(t *rapid.T, r reference, id string) {
	q := url.Values{"pageSize": {strconv.Itoa(rapid.IntRange(1, 9).Draw(t, "page"))}}
	from, to := int64(-1), int64(100)
	if rapid.Bool().Draw(t, "from given") {
		from = rapid.Int64Range(0, 32).Draw(t, "from")
		q.Set("from", moment(from))
	}
	if rapid.Bool().Draw(t, "to given") {
		to = rapid.Int64Range(max(from, 0), 32).Draw(t, "to")
		q.Set("to", moment(to))
	}
	a, ok := r.accounts[id]
	if !ok {
		require.Equal(t, http.StatusNotFound, r.b.ask(accountsV2+"/"+id+"/statement", q).status)
		return
	}
	want := []entryBody{}
	for i, entry := range a.entries {
		if a.since[i] >= from && a.since[i] < to {
			want = append(want, entry)
		}
	}
	require.Equal(t, want, append([]entryBody{}, r.b.walk(t, accountsV2+"/"+id+"/statement", q).Entries...), "%v", q)
}
