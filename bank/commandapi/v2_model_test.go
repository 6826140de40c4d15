package commandapi_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/bank/web"
	"passbook/engine/memory"
	"passbook/es/eventstore"
)

// modelCommands in the environment is how many requests TestV2_Model sends to a
// bank in memory, and ten times that of one on SQLite: 1000000 for a night, with
// -timeout 0. The seed is printed; -seed has it again.
const modelCommands = "PASSBOOK_MODEL_COMMANDS"

// dice decide what is asked next: a generator, or rapid, which finds the shortest
// way to a failure.
type dice interface{ IntN(n int) int }

type drawn struct{ *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "n") }

// teller gives random orders to the bank and to the ledger.
type teller struct {
	require.TestingT
	dice
	bank     *bank
	ledger   *ledger
	ids      []string // the first one lives for ever, the others are replaced
	last     int      // number of the newest id and the newest key
	keyed    []order  // lately sent with a key, whatever the answer was
	outcomes map[string]int
}

func newTeller(t require.TestingT, d dice, b *bank) *teller {
	return &teller{
		TestingT: t, dice: d, bank: b, ids: []string{"a", "b", "c", "d", "e", "f"}, outcomes: map[string]int{},
		ledger: &ledger{pages: map[string]*page{}, keys: map[string]entry2{}},
	}
}

func (w *teller) pick(from ...string) string { return from[w.IntN(len(from))] }

// next is an order: an earlier one again, one that reuses a key, or a new one.
func (w *teller) next() order {
	if len(w.keyed) > 0 && w.IntN(5) == 0 {
		o := w.keyed[w.IntN(len(w.keyed))]
		switch w.IntN(6) {
		case 0: // the key of another order
			key := o.key
			o = w.fresh()
			o.key = key
		case 1:
			o.ifMatch = w.pick("", "*", `"0"`)
		}
		return o
	}
	o := w.fresh()
	if w.IntN(3) == 0 {
		w.last++
		o.key = fmt.Sprint("k ", w.last)
		if w.keyed = append(w.keyed, o); len(w.keyed) > 100 {
			delete(w.ledger.keys, w.keyed[0].key) // it is never sent again
			w.keyed = w.keyed[1:]
		}
	}
	return o
}

func (w *teller) fresh() order {
	o := order{api: 1 + w.IntN(2), id: w.ids[0], currency: "EUR"}
	if w.IntN(3) > 0 {
		o.id = w.ids[w.IntN(len(w.ids))]
	}
	switch n := w.IntN(100); {
	case n < 6:
		o.verb = "open"
	case n < 10 && o.id != w.ids[0]:
		o.verb = "close"
	case n < 55:
		o.verb = "deposit"
	default:
		o.verb = "withdraw"
	}
	switch {
	case o.verb == "open" && (o.api == 1 || w.IntN(4) == 0):
		o.id = ""
	case o.verb == "open" && w.IntN(2) == 0: // a new account takes the place of another
		w.last++
		o.id = fmt.Sprint("x-", w.last)
		w.replace(o.id)
	}
	if o.api == 2 {
		o.currency = w.currency(o)
		o.note = w.pick("", "", "rent", "é\u00a0x")
	}
	if p := w.ledger.pages[o.id]; w.IntN(8) == 0 {
		o.ifMatch = w.pick("*", `"0"`, `"3"`)
		if p != nil && w.IntN(2) == 0 {
			o.ifMatch = fmt.Sprintf(`"%d"`, p.version)
		}
	}
	w.amount(&o)
	return o
}

func (w *teller) replace(id string) { w.ids[1+w.IntN(len(w.ids)-1)] = id }

// currency is mostly that of the account. The first one is in EUR, for which
// version 1 has words, too.
func (w *teller) currency(o order) string {
	if o.verb == "open" && o.id == w.ids[0] {
		return "EUR"
	}
	if p := w.ledger.pages[o.id]; p != nil && w.IntN(20) > 0 {
		return p.currency
	}
	return w.pick("EUR", "EUR", "JPY", "KWD")
}

// amount is near something that matters: 0, the balance, the room up to the
// limit, the limit; or it is none.
func (w *teller) amount(o *order) {
	if o.verb == "close" {
		return
	}
	balance, top := int64(0), most(o.currency)
	if p := w.ledger.pages[o.id]; p != nil && p.currency == o.currency {
		balance = p.minor
	}
	o.minor = []int64{0, balance, balance, top - balance, top}[w.IntN(5)] + int64(w.IntN(7)) - 3
	if w.IntN(3) == 0 {
		o.minor = int64(w.IntN(10_000))
	}
	o.minor = max(min(o.minor, top), -top)
	if o.api == 1 {
		w.write1(o)
	} else {
		w.write2(o)
	}
}

// write1 words the amount for version 1, or something that is none.
func (w *teller) write1(o *order) {
	text := amountText(o.minor, o.currency)
	o.written = w.pick(text, `"`+text+`"`, text+"0", fmt.Sprintf("%de-2", o.minor), fmt.Sprintf("%d.0E-2", o.minor))
	if w.IntN(25) == 0 {
		o.fault, o.written = "invalid-request", w.pick(`"NaN"`, `0.001`, `true`, `1e400`, `" 1"`, `{}`)
	}
}

// write2 words the amount for version 2, or something that is none.
func (w *teller) write2(o *order) {
	text := amountText(o.minor, o.currency)
	money := func(amount, currency string) string { return `{"amount":` + amount + `,"currency":"` + currency + `"}` }
	o.written = w.pick(money(`"`+text+`"`, o.currency), ` {"currency":"`+o.currency+`", "amount": "`+text+`"}`)
	if strings.Contains(text, ".") && w.IntN(2) == 0 {
		o.written = money(`"`+strings.TrimRight(strings.TrimRight(text, "0"), ".")+`"`, o.currency)
	}
	if o.minor < 0 || o.minor == 0 && o.verb != "open" {
		o.fault = "invalid-request"
	}
	switch w.IntN(40) {
	case 0:
		o.fault, o.written = "invalid-request", money(w.pick(`12.5`, `"1e2"`, `"+1"`, `"1.0000"`, `""`, `null`, `"1000000000000"`), "EUR")
	case 1:
		if o.fault == "" {
			o.fault, o.written = "currency-unknown", money(`"1"`, w.pick("XXX", "eur", "EURO"))
		}
	case 2:
		if o.verb == "open" && o.fault == "" {
			o.absent, o.minor, o.written = true, 0, ""
			o.currency = "EUR" // the service's
		}
	}
}

// send puts an order into a request.
func (w *teller) send(o order) answer {
	var headers []string
	if o.key != "" {
		headers = append(headers, "Idempotency-Key: "+o.key)
	}
	if o.ifMatch != "" {
		headers = append(headers, "If-Match: "+o.ifMatch)
	}
	if o.api == 1 {
		switch o.verb {
		case "open":
			return w.bank.send("POST", "/api/v1/openBankAccount",
				`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":`+o.written+`}`, headers...)
		case "deposit":
			return w.bank.deposit(o.id, o.written, headers...)
		case "withdraw":
			return w.bank.withdraw(o.id, o.written, headers...)
		}
		return w.bank.close(o.id, headers...)
	}
	return w.send2(o, headers)
}

func (w *teller) send2(o order, headers []string) answer {
	path := v2Accounts + "/" + o.id + map[string]string{"deposit": "/deposits", "withdraw": "/withdrawals", "close": "/closure"}[o.verb]
	var members []string
	add := func(name, value string) { members = append(members, `"`+name+`":`+value) }
	if o.note != "" {
		add(map[string]string{"deposit": "reference", "withdraw": "reference", "close": "reason", "open": "phone"}[o.verb], `"`+o.note+`"`)
	}
	switch o.verb {
	case "open":
		path = v2Accounts
		add("accountHolder", `"John Doe"`)
		add("accountType", `"SAVINGS"`)
		if o.id != "" {
			add("accountId", `"`+o.id+`"`)
		}
		if !o.absent {
			add("openingBalance", o.written)
		}
	case "deposit", "withdraw":
		add("amount", o.written)
	}
	return w.bank.send("POST", path, "{"+strings.Join(members, ",")+"}", headers...)
}

// step gives one order and compares the answer with the ledger's verdict.
func (w *teller) step() {
	o := w.next()
	want := w.ledger.judge(o)
	a := w.send(o)
	about := fmt.Sprintf("%+v\nanswer: %+v\nverdict: %+v", o, a, want)
	require.Equal(w, want.status, a.status, about)
	outcome := want.code
	switch {
	case want.code != "":
		w.compareProblem(o, a, want, about)
	case want.replayed != nil:
		outcome = "replayed"
		require.Equal(w, "true", a.header.Get("Idempotent-Replayed"), about)
		require.Equal(w, want.replayed.body, a.body, about)
		require.Equal(w, want.replayed.header.Get("ETag"), a.header.Get("ETag"), about)
		require.Equal(w, want.replayed.header.Get("Location"), a.header.Get("Location"), about)
	default:
		outcome = "accepted"
		w.ledger.note(o, w.compareSuccess(o, a, want, about), a)
	}
	w.outcomes[fmt.Sprintf("v%d %s", o.api, outcome)]++
}

func (w *teller) compareProblem(o order, a answer, want verdict, about string) {
	var p web.Problem
	require.NoError(w, json.Unmarshal([]byte(a.body), &p), about)
	require.Equal(w, web.Code(want.code), p.Code, about)
	if want.sentence != "" {
		require.Equal(w, want.sentence, p.Detail, about)
	}
	if o.api == 1 {
		require.Equal(w, p.Detail, p.Message, about)
	} else {
		require.Empty(w, p.Message, about)
	}
	if want.code == "version-conflict" {
		require.Equal(w, want.version, *p.ExpectedVersion, about)
		require.Equal(w, want.position, *p.ActualVersion, about)
	}
}

// compareSuccess returns the account's id.
func (w *teller) compareSuccess(o order, a answer, want verdict, about string) string {
	require.Empty(w, a.header.Get("Idempotent-Replayed"), about)
	require.Equal(w, fmt.Sprintf(`"%d"`, want.version), a.header.Get("ETag"), about)
	id := want.id
	if id == "" {
		id = uuid.FindString(a.body)
		require.NotEmpty(w, id, about)
		require.NotContains(w, w.ledger.pages, id, about)
		w.replace(id)
	}
	if o.api == 1 {
		said := map[string]string{
			"open": strings.ReplaceAll(opened, "{uuid}", id), "deposit": deposited, "withdraw": withdrawn, "close": closed,
		}
		require.Equal(w, said[o.verb], a.body, about)
		return id
	}
	body := fmt.Sprintf(`{"accountId":"%s","version":%d,"position":%d`, id, want.version, want.position)
	if o.verb != "close" {
		body += `,"balance":{"amount":"` + want.balance + `","currency":"` + o.currency + `"}`
	}
	require.Equal(w, body+"}", a.body, about)
	location := ""
	if o.verb == "open" {
		location = v2Accounts + "/" + id
	}
	require.Equal(w, location, a.header.Get("Location"), about)
	return id
}

// audit compares every account there ever was, from its events.
func (w *teller) audit(t *testing.T) {
	for id, p := range w.ledger.pages {
		state, version, err := w.bank.accounts.Load(t.Context(), id, -1)
		require.NoError(w, err)
		require.Equal(w, amountText(p.minor, p.currency)+" "+p.currency, state.Balance.String(), id)
		require.Equal(w, p.closed, state.Closed(), id)
		require.Equal(w, p.version, version, id)
	}
	head, err := w.bank.store.Head(t.Context())
	require.NoError(w, err)
	require.Equal(w, w.ledger.position, head)
}

// A long walk through one store. From time to time another process takes over,
// with nothing in its memory.
func TestV2_Model(t *testing.T) {
	t.Parallel()
	commands := 5_000
	if n, err := strconv.Atoi(os.Getenv(modelCommands)); err == nil {
		commands = n
	}
	for name, engine := range map[string]func(*testing.T) eventstore.Engine{
		"Memory": func(*testing.T) eventstore.Engine { return memory.NewEventStore() }, "SQLite": sqliteEngine,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			commands := commands
			if name == "SQLite" {
				commands /= 10
			}
			process := []func(*setup){on(engine(t)), func(s *setup) { s.aggregate.SnapshotEvery = 7 }}
			w := newTeller(t, random(t), open(t, process...))
			for i := range commands {
				w.step()
				if i%(commands/8) == 1 {
					w.bank.stop()
					w.bank = open(t, process...)
				}
			}
			w.audit(t)
			t.Logf("%d accounts, %v", len(w.ledger.pages), w.outcomes)
			if commands >= 5_000 { // a walk that never meets a rule says nothing about it
				require.Len(t, w.outcomes, 23)
			}
		})
	}
}

// Short walks, for whose failures rapid finds shorter ones.
func TestV2_Model_Rapid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := newTeller(r, drawn{r}, open(t))
		w.ids = w.ids[:2]
		for range rapid.IntRange(1, 30).Draw(r, "commands") {
			w.step()
		}
		w.audit(t)
		w.bank.stop()
	})
}
