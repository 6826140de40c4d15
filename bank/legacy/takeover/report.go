package takeover

import (
	"maps"
	"math"
	"slices"
	"strconv"

	contract "passbook/contract/account"
)

// Report tells what is in the source and what becomes of it under the rules that
// were given. Lists of accounts are ascending by id.
type Report struct {
	// Events and Accounts are what the source has, TakenEvents and TakenAccounts
	// what is taken over.
	Events        int64 `json:"events"`
	Accounts      int64 `json:"accounts"`
	TakenEvents   int64 `json:"takenEvents"`
	TakenAccounts int64 `json:"takenAccounts"`
	// OpenAccounts are neither taken nor left out yet: a rule is missing.
	OpenAccounts int64 `json:"openAccounts"`
	// TimesMoved counts events whose time was before that of their account's
	// previous event, and is that one's now.
	TimesMoved     int64          `json:"timesMoved"`
	Irregularities []Irregularity `json:"irregularities"`
	LeftOut        []LeftOut      `json:"leftOut"`
	Corrected      []Corrected    `json:"corrected"`
}

// Irregularity is one kind of what was found.
type Irregularity struct {
	Kind  Kind   `json:"kind"`
	Means string `json:"means"`
	// Rule is the one that was given, if there is one; Choices are those there are.
	Rule    string   `json:"rule,omitempty"`
	Choices []Choice `json:"choices"`
	// Open: a rule is needed. None is where every account concerned is left out
	// for another reason.
	Open bool `json:"open"`
	// Accounts are those in which it was found; not more than the source has, but
	// possibly all of them.
	Accounts []Found `json:"accounts"`
}

// Found is a kind of irregularity in one account.
type Found struct {
	// Account is empty for documents that name none.
	Account string `json:"account"`
	// Events counts those concerned: one for a gap.
	Events int64 `json:"events"`
	// FirstID and FirstVersion are the first one's, as the source has them, and
	// What is wrong with it. A gap has neither id nor version.
	FirstID      string `json:"firstId,omitempty"`
	FirstVersion *int64 `json:"firstVersion,omitempty"`
	What         string `json:"what"`
}

// LeftOut is an account that is not taken over.
type LeftOut struct {
	Account string `json:"account"`
	// Events is how many the source has of it.
	Events int64 `json:"events"`
	// Balance is the one there: what the Java system adds up to.
	Balance string `json:"balance"`
	// Kinds are those whose rule says so; none if rules have left no event of it.
	Kinds []Kind `json:"kinds"`
}

// Corrected is an account that is taken over otherwise than it is in the source.
type Corrected struct {
	Account string `json:"account"`
	Kinds   []Kind `json:"kinds"`
	// BalanceThere is what the Java system adds up to, Balance what the account
	// has with us.
	BalanceThere string         `json:"balanceThere"`
	Balance      contract.Money `json:"balance"`
	Differs      bool           `json:"differs"`
}

// Open lists the kinds that a rule is needed for.
func (r *Report) Open() []Kind {
	var open []Kind
	for _, i := range r.Irregularities {
		if i.Open {
			open = append(open, i.Kind)
		}
	}
	return open
}

// report sums up what a ledger has seen.
func (l *ledger) report(events int64) Report {
	r := Report{
		Events: events, Accounts: int64(len(l.accounts)), TimesMoved: l.moved,
		Irregularities: []Irregularity{}, LeftOut: []LeftOut{}, Corrected: []Corrected{},
	}
	found := make(map[Kind]*Irregularity)
	l.collect(found, "", &l.nowhere)
	for _, id := range slices.Sorted(maps.Keys(l.accounts)) {
		a := l.accounts[id]
		l.collect(found, id, a)
		switch {
		case l.open(a):
			r.OpenAccounts++
			continue
		case a.leftOut || a.last < 0:
			r.LeftOut = append(r.LeftOut, LeftOut{Account: id, Events: a.records, Balance: shortest(a.there), Kinds: l.reasons(a)})
			continue
		case len(a.findings) > 0:
			r.Corrected = append(r.Corrected, corrected(id, a))
		}
		r.TakenAccounts++
		r.TakenEvents += a.last + 1
	}
	for _, kind := range Kinds() {
		if i := found[kind.Kind]; i != nil {
			i.Kind, i.Means, i.Choices = kind.Kind, kind.Means, kind.Choices
			if rule, given := l.rules[kind.Kind]; given {
				i.Rule = rule.String()
			}
			r.Irregularities = append(r.Irregularities, *i)
		}
	}
	return r
}

func (l *ledger) collect(found map[Kind]*Irregularity, id string, a *holding) {
	for _, f := range a.findings {
		i := found[f.kind]
		if i == nil {
			i = &Irregularity{}
			found[f.kind] = i
		}
		_, given := l.rules[f.kind]
		i.Open = i.Open || !given && !a.leftOut
		one := Found{Account: id, Events: f.events, FirstID: f.first, What: f.what}
		if f.version >= 0 {
			one.FirstVersion = &f.version
		}
		i.Accounts = append(i.Accounts, one)
	}
}

// open tells whether a rule is missing for an account.
func (l *ledger) open(a *holding) bool {
	return !a.leftOut && slices.ContainsFunc(a.findings, func(f finding) bool {
		_, given := l.rules[f.kind]
		return !given
	})
}

// reasons are the kinds for which an account is left out.
func (l *ledger) reasons(a *holding) []Kind {
	kinds := []Kind{}
	for _, f := range a.findings {
		if l.rule(f.kind).Name == leaveOutAccount {
			kinds = append(kinds, f.kind)
		}
	}
	return kinds
}

func corrected(id string, a *holding) Corrected {
	c := Corrected{Account: id, BalanceThere: shortest(a.there), Balance: a.state.Balance}
	for _, f := range a.findings {
		c.Kinds = append(c.Kinds, f.kind)
	}
	slices.Sort(c.Kinds)
	c.Differs = differs(a.there, a.state.Balance)
	return c
}

// differs tells whether two balances are not the same amount. Sums of doubles
// are a little beside what they should be, and that is no difference.
func differs(there float64, here contract.Money) bool {
	near, err := strconv.ParseFloat(here.Amount(), 64)
	return err != nil || math.IsNaN(there) || math.Abs(there-near)*2 >= math.Pow10(-here.Currency().Decimals())
}
