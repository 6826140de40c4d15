package takeover

import (
	"strings"
	"unicode"

	"passbook/bank/account"
	contract "passbook/contract/account"
)

// opening is the Opened of a record, nil if it is not taken.
func (t *taking) opening() (any, error) {
	holder, goOn := t.holder()
	if !goOn {
		return nil, nil
	}
	kind, goOn := t.accountType()
	if !goOn {
		return nil, nil
	}
	balance, goOn, err := t.amount()
	if err != nil || !goOn {
		return nil, err
	}
	if balance.Sign() < 0 {
		if !t.settle(NegativeOpening, "an opening balance of %s", t.record.amount.text) {
			return nil, nil
		}
		balance = contract.Zero(t.currency)
	}
	id := t.record.account
	if contract.CheckAccountID(id) != nil {
		id = "x" // it was found already, and the account will be left out
	}
	return t.decided(account.OpenAccount{AccountID: id, Holder: holder, Type: kind, OpeningBalance: balance}.Decide(t.account.state))
}

func (t *taking) holder() (holder string, goOn bool) {
	holder = t.record.holder
	kind, what := MissingHolder, "no holder"
	switch {
	case holder == "":
	case contract.CheckAccountHolder(holder) == nil:
		return holder, true
	default:
		kind, what = BadHolder, "the holder "+quoted(holder)
	}
	if !t.settle(kind, "%s", what) {
		return "", false
	}
	if rule := t.rule(kind); rule.Name == holderName {
		return rule.Value, true
	}
	holder = cleaned(holder)
	if contract.CheckAccountHolder(holder) != nil { // nothing is left
		return "-", true
	}
	return holder, true
}

// quotedMax is how much of a text a report shows.
const quotedMax = 64

func quoted(text string) string {
	runes := []rune(text)
	if len(runes) <= quotedMax {
		return `"` + text + `"`
	}
	return `"` + string(runes[:quotedMax]) + `"…`
}

// cleaned makes the nearest text that a holder can be.
func cleaned(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	runes := []rune(text)
	return string(runes[:min(len(runes), contract.TextLengthMax)])
}

func (t *taking) accountType() (kind contract.Type, goOn bool) {
	kind, err := contract.ParseType(t.record.accountType)
	if err == nil {
		return kind, true
	}
	what := "no type"
	if t.record.accountType != "" {
		what = "the type " + quoted(t.record.accountType)
	}
	if !t.settle(MissingType, "%s", what) {
		return "", false
	}
	return contract.Type(t.rule(MissingType).Value), true
}
