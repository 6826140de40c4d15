package takeover

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	contract "passbook/contract/account"
)

// Rule is what is to be done about a kind of irregularity.
type Rule struct {
	// Name is that of one of the kind's choices, Value what was given with it.
	Name, Value string
}

// String is how the rule is given.
func (r Rule) String() string { return Choice{Name: r.Name, Value: r.Value}.String() }

// Rules has the rule for each kind that there is one for.
type Rules map[Kind]Rule

// ParseRules reads rules as a person gives them, KIND=RULE each, such as
// "negative-withdrawal=as-deposit" and "missing-holder=name=Unknown". An error
// is one line and says what there is to choose from.
func ParseRules(texts []string) (Rules, error) {
	rules := make(Rules, len(texts))
	kinds := Kinds()
	for _, text := range texts {
		kind, given, ok := strings.Cut(text, "=")
		i := slices.IndexFunc(kinds, func(a About) bool { return string(a.Kind) == kind })
		if !ok || i < 0 {
			return nil, fmt.Errorf("%q is no KIND=RULE: the kinds are %s", text, names(kinds))
		}
		rule, err := parseRule(kinds[i], given)
		if err != nil {
			return nil, err
		}
		if before, twice := rules[kinds[i].Kind]; twice && before != rule {
			return nil, fmt.Errorf("%s has two rules, %s and %s: give one of them", kind, before, rule)
		}
		rules[kinds[i].Kind] = rule
	}
	return rules, nil
}

func parseRule(a About, given string) (Rule, error) {
	name, value, _ := strings.Cut(given, "=")
	rule := Rule{Name: name, Value: value}
	for _, c := range a.Choices {
		switch {
		case c.Name != name:
		case c.Value == "TEXT":
			if err := contract.CheckAccountHolder(value); err != nil {
				return Rule{}, fmt.Errorf("%s=%s: the text is no holder: %w", a.Kind, name, err)
			}
			return rule, nil
		case given == c.String():
			return rule, nil
		}
	}
	var choices []string
	for _, c := range a.Choices {
		choices = append(choices, c.String())
	}
	return Rule{}, fmt.Errorf("%s has no rule %q: its rules are %s", a.Kind, given, strings.Join(choices, ", "))
}

func names(kinds []About) string {
	all := make([]string, len(kinds))
	for i, a := range kinds {
		all[i] = string(a.Kind)
	}
	return strings.Join(all, ", ")
}

// String is the same for the same rules, in whatever order they were given.
func (r Rules) String() string {
	var text strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&text, "%s=%s\n", kind, r[kind])
	}
	return text.String()
}

// has tells whether there is a rule of a name for any of some kinds.
func (r Rules) has(name string, kinds ...Kind) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return r[k].Name == name })
}

// provisional is what the check goes on with where there is no rule, so that a
// report tells everything that there is to decide, and not only the first.
func provisional() map[Kind]Rule {
	all := make(map[Kind]Rule)
	for _, a := range Kinds() {
		for _, c := range a.Choices {
			if c.Name != leaveOutAccount {
				all[a.Kind] = Rule{Name: c.Name, Value: c.Value}
				break
			}
		}
	}
	return all
}
