package main

import (
	"fmt"
	"slices"
	"strings"
)

// role is a service that a process may run.
type role string

const (
	roleCommand role = "command"
	roleRelay   role = "relay"
	roleQuery   role = "query"
	roleNotify  role = "notify"
	roleBroker  role = "broker"
)

// roles is a set of roles.
type roles map[role]bool

// parseRoles reads the names of roles. all stands for every role there is; the
// embedded broker is one of them only where it is the broker.
func parseRoles(names []string, embeddedBroker bool) (roles, error) {
	known := []role{roleCommand, roleRelay, roleQuery, roleNotify, roleBroker}
	chosen := make(roles)
	for _, name := range names {
		r := role(strings.TrimSpace(name))
		switch {
		case r == "all":
			for _, each := range known {
				chosen[each] = each != roleBroker || embeddedBroker
			}
		case slices.Contains(known, r):
			chosen[r] = true
		default:
			return nil, fmt.Errorf("unknown role %q: want all, or some of %s", name, join(known))
		}
	}
	return chosen, nil
}

// only tells whether the process has no role but these.
func (r roles) only(these ...role) bool {
	for each, chosen := range r {
		if chosen && !slices.Contains(these, each) {
			return false
		}
	}
	return true
}

// String lists the roles in alphabetical order.
func (r roles) String() string {
	var names []role
	for each, chosen := range r {
		if chosen {
			names = append(names, each)
		}
	}
	slices.Sort(names)
	return join(names)
}

func join(names []role) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ",")
}
