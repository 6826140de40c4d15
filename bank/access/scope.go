package access

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is what a key is good for. Operations name theirs in web.Operation.
type Scope string

// The scopes.
const (
	Command Scope = "command" // opens accounts, moves money
	Query   Scope = "query"   // reads accounts and notifications
	Operate Scope = "operate" // restores, parked streams
)

// Scopes returns every scope there is.
func Scopes() []Scope { return []Scope{Command, Query, Operate} }

// ParseScopes reads scopes from a list with commas. The error does not name the
// place that the text came from.
func ParseScopes(text string) ([]Scope, error) {
	var scopes []Scope
	for part := range strings.SplitSeq(text, ",") {
		scope := Scope(strings.TrimSpace(part))
		if !slices.Contains(Scopes(), scope) {
			return nil, fmt.Errorf("unknown scope %q: want some of %s", scope, joinScopes(Scopes()))
		}
		if slices.Contains(scopes, scope) {
			return nil, fmt.Errorf("scope %s is there twice", scope)
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

func joinScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return strings.Join(texts, ",")
}
