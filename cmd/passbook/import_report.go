package main

import (
	"fmt"
	"io"
	"strings"

	"passbook/bank/legacy/takeover"
	"passbook/engine/mongodb"
	"passbook/es/archive"
)

// takenOver is what --json prints.
type takenOver struct {
	Source string `json:"source"`
	takeover.Report

	// Open are the kinds that need a rule. Nothing is imported while there are any.
	Open     []takeover.Kind `json:"open"`
	Imported *imported       `json:"imported,omitempty"`
}

type imported struct {
	Events  int64  `json:"events"`
	Resumed int64  `json:"resumed"`
	History string `json:"history"`
}

// tell prints what was found and what was done. Where a rule is missing the
// answer is no.
func (c *importCommand) tell(out output, source *mongodb.Foreign, plan *takeover.Plan, filled *archive.Filled) error {
	all := takenOver{Source: source.Name(), Report: plan.Report, Open: append([]takeover.Kind{}, plan.Report.Open()...)}
	if filled != nil {
		all.Imported = &imported{Events: plan.Report.TakenEvents, Resumed: filled.Resumed, History: filled.NewHistory}
	}
	var err error
	if c.JSON {
		err = printJSON(out.stdout, all)
	} else {
		_, err = io.WriteString(out.stdout, all.text())
	}
	if err == nil && len(all.Open) > 0 {
		err = exitError(exitNo)
	}
	return err
}

// shownMax is how many accounts a list for people has.
const shownMax = 20

// text is for people.
func (t *takenOver) text() string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s: %s of %s\n", t.Source, counted(t.Events, "event"), counted(t.Accounts, "account"))
	for _, i := range t.Irregularities {
		writeIrregularity(&w, i)
	}
	writeList(&w, "accounts left out", t.LeftOut, func(a takeover.LeftOut) string {
		why := "the rules leave no event of it"
		if len(a.Kinds) > 0 {
			why = namesOf(a.Kinds)
		}
		return fmt.Sprintf("%s: %s, balance there %s: %s", a.Account, counted(a.Events, "event"), a.Balance, why)
	})
	writeList(&w, "accounts corrected", t.Corrected, func(a takeover.Corrected) string {
		differs := ""
		if a.Differs {
			differs = ", which is another"
		}
		return fmt.Sprintf("%s: %s: balance there %s, here %s%s", a.Account, namesOf(a.Kinds), a.BalanceThere, a.Balance, differs)
	})
	if t.TimesMoved > 0 {
		fmt.Fprintf(&w, "\nput forward to the time of their account's previous event: %s\n", counted(t.TimesMoved, "event"))
	}
	w.WriteString("\n" + t.end())
	return w.String()
}

// end is what came of it.
func (t *takenOver) end() string {
	what := counted(t.TakenEvents, "event") + " of " + counted(t.TakenAccounts, "account")
	switch {
	case len(t.Open) > 0:
		return fmt.Sprintf("nothing is written, %s in doubt: give a rule for each kind that needs one, for example\n  %s\n",
			counted(t.OpenAccounts, "account"), t.example())
	case t.Imported == nil:
		return fmt.Sprintf("nothing is written: these rules would import %s\n", what)
	}
	resumed := ""
	if t.Imported.Resumed > 0 {
		resumed = fmt.Sprintf(" (%s by an earlier run)", counted(t.Imported.Resumed, "event"))
	}
	return fmt.Sprintf("imported %s%s; the new history is %s\n", what, resumed, t.Imported.History)
}

// example leaves out whatever needs a rule.
func (t *takenOver) example() string {
	var rules []string
	for _, i := range t.Irregularities {
		if i.Open {
			rules = append(rules, fmt.Sprintf("--rule %s=%s", i.Kind, i.Choices[0]))
		}
	}
	return strings.Join(rules, " ")
}

func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func writeIrregularity(w *strings.Builder, i takeover.Irregularity) {
	rule := "rule: " + i.Rule
	switch {
	case i.Open:
		rule = "needs a rule"
	case i.Rule == "":
		rule = "only in accounts that are left out"
	}
	writeList(w, fmt.Sprintf("%s (%s): %s", i.Kind, rule, i.Means), i.Accounts, func(f takeover.Found) string {
		where := f.Account
		if where == "" {
			where = "no account"
		}
		if f.FirstID == "" {
			return fmt.Sprintf("%s: %s", where, f.What)
		}
		version := ""
		if f.FirstVersion != nil {
			version = fmt.Sprintf(", version %d", *f.FirstVersion)
		}
		return fmt.Sprintf("%s: %s, first _id %s%s: %s", where, counted(f.Events, "event"), f.FirstID, version, f.What)
	})
	if i.Open {
		for _, choice := range i.Choices {
			fmt.Fprintf(w, "    --rule %-45s %s\n", quoteIfText(i.Kind, choice), choice.Does)
		}
	}
}

func quoteIfText(kind takeover.Kind, choice takeover.Choice) string {
	rule := fmt.Sprintf("%s=%s", kind, choice)
	if choice.Value == "TEXT" {
		return quote(rule)
	}
	return rule
}

// writeList writes a heading and the first of a list, and nothing for an empty
// one. What is in the source may be anything, so it is made printable.
func writeList[T any](w *strings.Builder, heading string, list []T, line func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", heading)
	for _, item := range list[:min(len(list), shownMax)] {
		w.WriteString("  " + printable(line(item)) + "\n")
	}
	if more := len(list) - shownMax; more > 0 {
		fmt.Fprintf(w, "  … and %s more: --json lists them all\n", grouped(int64(more)))
	}
}

func namesOf(kinds []takeover.Kind) string {
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		all[i] = string(kind)
	}
	return strings.Join(all, ", ")
}
