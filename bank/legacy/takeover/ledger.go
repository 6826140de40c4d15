package takeover

import (
	"fmt"
	"slices"
	"time"

	"passbook/bank/account"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// ledger follows every account through its events, and applies the rules. The
// same records under the same rules give the same events, whenever it is done.
type ledger struct {
	currency contract.Currency
	rules    Rules
	without  map[Kind]Rule // what goes on where there is no rule
	accounts map[string]*holding
	// nowhere has what is found in documents that name no account.
	nowhere holding
	// moved counts events whose time was put forward to that of the event before.
	moved int64
}

// holding is one account as it comes about.
type holding struct {
	// state is without the holder: nothing that is decided here depends on it.
	state    account.State
	versions versions
	// last is the version of the account's last event that was taken, moment its time.
	last   int64
	moment time.Time
	// there is the balance as the Java system adds it up.
	there    float64
	records  int64
	findings []finding
	leftOut  bool
}

// finding is one kind of irregularity in one account.
type finding struct {
	kind    Kind
	events  int64
	first   string // the _id of the first
	version int64
	what    string
}

func newLedger(rules Rules, currency contract.Currency) *ledger {
	return &ledger{currency: currency, rules: rules, without: provisional(), accounts: make(map[string]*holding)}
}

func (l *ledger) holding(r *record) *holding {
	if r.account == "" {
		return &l.nowhere
	}
	a := l.accounts[r.account]
	if a == nil {
		a = &holding{last: event.NoVersion}
		l.accounts[r.account] = a
	}
	return a
}

// stored is told of each record in stored order, which is the order in which
// the original reads: what it makes of versions and balances depends on it.
func (l *ledger) stored(r *record) {
	a := l.holding(r)
	if a == &l.nowhere {
		return
	}
	a.records++
	if r.version >= 0 {
		if kind := a.versions.see(r.version); kind != "" {
			l.find(a, r, kind, fmt.Sprintf("version %d, where %d is next", r.version, a.versions.next))
		}
	}
	switch r.class {
	case contract.LegacyClassOpened:
		a.there = r.amount.value
	case contract.LegacyClassDeposited:
		a.there += r.amount.value
	case contract.LegacyClassWithdrawn:
		a.there -= r.amount.value
	}
}

// taking is one event on its way: from a record, through the rules, to a payload.
type taking struct {
	*ledger

	account *holding
	record  *record
	// applied are the rules that changed something about the event.
	applied []string
}

// taken is an event of our own.
type taken struct {
	payload any
	time    time.Time
	version int64
	applied []string
}

// take is told of each record in the order in which events are taken. It returns
// nil for a record that is not taken. An error is one of this program.
func (l *ledger) take(r *record) (*taken, error) {
	t := &taking{ledger: l, account: l.holding(r), record: r}
	if t.account == &l.nowhere {
		t.settle(NoAccount, "%s", r.faults[slices.IndexFunc(r.faults, func(f fault) bool { return f.kind == NoAccount })].what)
		return nil, nil
	}
	if t.account.leftOut {
		return nil, nil
	}
	for _, f := range r.faults {
		if !t.settle(f.kind, "%s", f.what) {
			return nil, nil
		}
	}
	payload, err := t.payload()
	if err != nil {
		return nil, fmt.Errorf("account %s, event %s: %w", r.account, r.idText, err)
	}
	if payload == nil {
		return nil, nil
	}
	a := t.account
	a.state = account.Evolve(a.state, payload)
	a.state.Holder = ""
	a.last++
	return &taken{payload: payload, time: t.moment(), version: a.last, applied: t.applied}, nil
}

// settle notes what was found in the event, and applies the rule as far as it is
// the same for all kinds. It returns false if the event is not taken.
func (t *taking) settle(kind Kind, format string, args ...any) (goOn bool) {
	rule := t.find(t.account, t.record, kind, fmt.Sprintf(format, args...))
	switch rule.Name {
	case leaveOutAccount, leaveOutEvent:
		return false
	case "": // the account can only be left out, and what else is in it is of interest
	default:
		t.applied = append(t.applied, string(kind)+":"+rule.Name)
	}
	return true
}

// rule is what is done about a kind.
func (l *ledger) rule(kind Kind) Rule {
	if rule, ok := l.rules[kind]; ok {
		return rule
	}
	return l.without[kind]
}

// find notes an irregularity and returns what is done about it.
func (l *ledger) find(a *holding, r *record, kind Kind, what string) Rule {
	rule := l.rule(kind)
	if rule.Name == leaveOutAccount {
		a.leftOut = true
	}
	i := slices.IndexFunc(a.findings, func(f finding) bool { return f.kind == kind })
	if i < 0 {
		i = len(a.findings)
		a.findings = append(a.findings, finding{kind: kind, first: r.idText, version: r.version, what: what})
	}
	a.findings[i].events++
	return rule
}

// end is told that all records were there: what is still missing will not come.
func (l *ledger) end() {
	for _, a := range l.accounts {
		if what := a.versions.missing(); what != "" {
			l.find(a, &record{version: -1}, Gap, what)
		}
	}
}

// payload is what the event of the record is with us, nil if it is not taken.
func (t *taking) payload() (any, error) {
	state := t.account.state
	switch r := t.record; {
	case r.class == contract.LegacyClassOpened && state.Exists():
		t.settle(SecondOpening, "an opening of an account that is there")
		return nil, nil
	case r.class == contract.LegacyClassOpened:
		return t.opening()
	case !state.Exists():
		t.settle(BeforeOpening, "%s", className(r.class))
		return nil, nil
	case state.Closed():
		t.settle(AfterClosing, "%s", className(r.class))
		return nil, nil
	case r.class == contract.LegacyClassDeposited:
		return t.deposit()
	case r.class == contract.LegacyClassWithdrawn:
		return t.withdrawal()
	}
	return t.closing()
}

// moment is when the event happened: never before the one before it.
func (t *taking) moment() time.Time {
	r, a := t.record, t.account
	moment := r.time
	if r.class == contract.LegacyClassOpened {
		moment = r.created
	}
	if moment.IsZero() { // the rule for it is the only one
		moment = r.id.Timestamp().UTC()
	}
	if moment.Before(a.moment) {
		moment = a.moment
		t.moved++
	}
	a.moment = moment
	return moment
}
