package commandapi_test

import (
	"fmt"
	"strconv"
	"strings"
)

// order is one request to the bank, as its client means it.
type order struct {
	api      int    // version 1 or 2
	verb     string // open, deposit, withdraw, close
	id       string // empty: an opening whose id the service chooses
	currency string
	minor    int64  // the amount; of no meaning for a closure
	absent   bool   // an opening of version 2 that names no balance
	written  string // the amount's value in the body
	note     string // reference or reason; version 2 only
	fault    string // the code of what is wrong with it whatever the bank's state is
	key      string
	ifMatch  string
}

// same are the words by which two orders with one key are the same request.
func (o order) same() string {
	return fmt.Sprintln(o.api, o.verb, o.id, o.currency, o.minor, o.absent, o.note, o.ifMatch)
}

// verdict is what the bank must say to an order.
type verdict struct {
	status   int
	code     string // empty: a success
	sentence string // empty: any
	id       string // empty: the service chooses
	// version and position are those behind a success; for version-conflict they
	// are the expected and the actual version.
	version, position int64
	balance           string
	replayed          *answer // the answer that has to come again
}

// page is what the ledger has of one account.
type page struct {
	currency string
	minor    int64
	closed   bool
	version  int64
}

// ledger is the bank as a person would keep it by the published rules. It shares
// no code with what it is compared with.
type ledger struct {
	pages    map[string]*page
	keys     map[string]entry2
	position int64
}

// entry2 is what was answered under a key.
type entry2 struct {
	same   string
	answer answer
}

var decimals = map[string]int{"EUR": 2, "JPY": 0, "KWD": 3}

// most is the greatest balance: twelve digits and the currency's decimals.
func most(currency string) int64 {
	n, _ := strconv.ParseInt(strings.Repeat("9", 12+decimals[currency]), 10, 64)
	return n
}

// amountText writes minor units as people do.
func amountText(minor int64, currency string) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	d := decimals[currency]
	digits := fmt.Sprintf("%0*d", d+1, minor)
	if d == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-d] + "." + digits[len(digits)-d:]
}

// statuses of the refusals in version 2.
var statuses = map[string]int{
	"invalid-request": 400, "currency-unknown": 400, "account-not-found": 404, "account-exists": 409, "account-closed": 422,
	"insufficient-funds": 422, "balance-limit": 422, "balance-not-zero": 422, "currency-mismatch": 422,
	"version-conflict": 412, "idempotency-key-reused": 422,
}

func refusal(o order, code, sentence string) verdict {
	v := verdict{status: statuses[code], code: code, sentence: sentence}
	if o.api == 1 && (code == "account-not-found" || code == "account-closed" || code == "insufficient-funds") {
		v.status = 400
	}
	return v
}

// judge says what must be answered to o, and changes nothing.
func (l *ledger) judge(o order) verdict {
	if o.fault != "" {
		return refusal(o, o.fault, "")
	}
	if kept, known := l.keys[o.key]; known && o.key != "" {
		if kept.same != o.same() {
			return refusal(o, "idempotency-key-reused", reusedKey)
		}
		return verdict{status: kept.answer.status, replayed: &kept.answer}
	}
	p := l.pages[o.id]
	if o.verb != "open" && p == nil {
		return refusal(o, "account-not-found", "Incorrect account ID provided!")
	}
	if o.verb == "open" && o.minor < 0 {
		return refusal(o, "invalid-request", "openingBalance must not be negative")
	}
	if v, differs := otherVersionOf(o, p); differs {
		return v
	}
	var no verdict
	switch o.verb {
	case "open":
		if p != nil {
			no = refusal(o, "account-exists", "An account with this ID already exists!")
		}
	case "deposit":
		no = judgeDeposit(o, p)
	case "withdraw":
		no = judgeWithdrawal(o, p)
	case "close":
		no = judgeClosure(o, p)
	}
	if no.code != "" {
		return no
	}
	return l.accepted(o, p)
}

// otherVersionOf compares If-Match with the account's version.
func otherVersionOf(o order, p *page) (verdict, bool) {
	if o.ifMatch == "" || o.ifMatch == "*" && o.verb != "open" {
		return verdict{}, false
	}
	expected, _ := strconv.ParseInt(strings.Trim(o.ifMatch, `"*`), 10, 64) // an opening's * counts as 0
	actual := int64(-1)
	if p != nil {
		actual = p.version
	}
	v := refusal(o, "version-conflict", otherVersion)
	v.version, v.position = expected, actual
	return v, expected != actual
}

func judgeDeposit(o order, p *page) verdict {
	switch {
	case p.closed:
		return refusal(o, "account-closed", "Funds cannot be deposited into a closed bank account!")
	case o.minor <= 0:
		return refusal(o, "invalid-request", "The deposit amount must be greater than 0!")
	case o.currency != p.currency:
		return refusal(o, "currency-mismatch", "The account is in "+p.currency+", the amount in "+o.currency+"!")
	case p.minor+o.minor > most(p.currency):
		return refusal(o, "balance-limit", "Deposit declined, the balance would pass "+
			amountText(most(p.currency), p.currency)+" "+p.currency+"!")
	}
	return verdict{}
}

func judgeWithdrawal(o order, p *page) verdict {
	switch {
	case o.minor > 0 && o.currency != p.currency:
		return refusal(o, "currency-mismatch", "The account is in "+p.currency+", the amount in "+o.currency+"!")
	case o.minor > p.minor:
		return refusal(o, "insufficient-funds", "Withdraw declined, insufficient funds!")
	case p.closed:
		return refusal(o, "account-closed", "Funds cannot be withdrawn from a closed account!")
	case o.minor <= 0:
		return refusal(o, "invalid-request", "The withdraw amount must be greater than 0!")
	}
	return verdict{}
}

func judgeClosure(o order, p *page) verdict {
	switch {
	case p.closed:
		return refusal(o, "account-closed", "Bank account has already been closed!")
	case o.api == 2 && p.minor != 0:
		return refusal(o, "balance-not-zero", "The account cannot be closed while its balance is not 0!")
	}
	return verdict{}
}

// accepted tells what a success must look like.
func (l *ledger) accepted(o order, p *page) verdict {
	v := verdict{status: 201, id: o.id, position: l.position + 1}
	if o.api == 1 && o.verb != "open" {
		v.status = 200
	}
	after := o.minor
	if p != nil {
		v.version = p.version + 1
		switch o.verb {
		case "deposit":
			after = p.minor + o.minor
		case "withdraw":
			after = p.minor - o.minor
		}
	}
	v.balance = amountText(after, o.currency)
	return v
}

// note writes down what was answered to an accepted order.
func (l *ledger) note(o order, id string, a answer) {
	if o.key != "" {
		l.keys[o.key] = entry2{o.same(), a}
	}
	l.position++
	p := l.pages[id]
	if p == nil {
		l.pages[id] = &page{currency: o.currency, minor: o.minor}
		return
	}
	p.version++
	switch o.verb {
	case "deposit":
		p.minor += o.minor
	case "withdraw":
		p.minor -= o.minor
	case "close":
		p.closed = true
	}
}
