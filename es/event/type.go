package event

import (
	"fmt"
	"strconv"
	"strings"
)

// Type is the written name of a kind of event and the version of its payload's
// schema. The name is a contract with every reader there will ever be; it is
// never derived from a Go type, so a rename in the code orphans no history.
type Type struct {
	// Name is in dotted lower case, such as "passbook.account.opened".
	Name string
	// Schema counts the shapes that the payload has had: 1, 2, 3 …
	Schema int
}

// String gives the form that travels: "passbook.account.opened.v1".
func (t Type) String() string { return t.Name + ".v" + strconv.Itoa(t.Schema) }

// ParseType reads the form that String gives.
func ParseType(s string) (Type, error) {
	dot := strings.LastIndex(s, ".v")
	if dot <= 0 {
		return Type{}, fmt.Errorf("event type %q has no schema version: want NAME.vN", s)
	}
	digits := s[dot+len(".v"):]
	schema, err := strconv.Atoi(digits)
	if err != nil || schema < 1 || strconv.Itoa(schema) != digits {
		return Type{}, fmt.Errorf("event type %q has a bad schema version: want NAME.vN with N from 1", s)
	}
	return Type{Name: s[:dot], Schema: schema}, nil
}
