package account

// Type is the kind of account, in the words of APIs and events.
type Type string

// The types there are.
const (
	Savings Type = "SAVINGS"
	Current Type = "CURRENT"
)

// ParseType takes exactly SAVINGS or CURRENT; anything else is a *FieldError
// for "accountType".
func ParseType(text string) (Type, error) {
	t := Type(text)
	if _, ok := t.Ordinal(); !ok {
		return "", &FieldError{Field: "accountType", Problem: "must be SAVINGS or CURRENT"}
	}
	return t, nil
}

// Ordinal is the number that stands for t in the read table, which it shares
// with the Java original: SAVINGS 0, CURRENT 1. It is false for any other t.
func (t Type) Ordinal() (ordinal int, ok bool) {
	switch t {
	case Savings:
		return 0, true
	case Current:
		return 1, true
	}
	return 0, false
}

// TypeOfOrdinal is the reverse of Ordinal.
func TypeOfOrdinal(ordinal int) (t Type, ok bool) {
	switch ordinal {
	case 0:
		return Savings, true
	case 1:
		return Current, true
	}
	return "", false
}

// Status tells whether an account takes deposits and withdrawals.
type Status string

// The states of an account that exists.
const (
	StatusOpen   Status = "OPEN"
	StatusClosed Status = "CLOSED"
)
