package access

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"passbook/es/event"
)

// keysMax bounds a file of keys, so that a wrong file is noticed instead of read.
const keysMax = 10_000

// Keys are the keys that a service takes, by their hashes. They do not change.
type Keys struct {
	clients map[keyHash]client
}

type client struct {
	name   event.Actor
	scopes []Scope
}

// ParseKeys reads keys, a line each: name, hash, scopes with commas between
// them. Empty lines and lines that begin with # do not count. The error names
// every line that is wrong, and never what stands in it. Names and hashes must be
// unique: idempotency keys belong to a name.
func ParseKeys(r io.Reader) (*Keys, error) {
	keys := &Keys{clients: make(map[keyHash]client)}
	lines := bufio.NewScanner(r)
	var faults []error
	names := make(map[event.Actor]int)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := keys.add(line, number, names); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", number, err))
		}
		if len(keys.clients) > keysMax {
			return nil, fmt.Errorf("more than %d keys", keysMax)
		}
	}
	if err := lines.Err(); err != nil {
		faults = append(faults, err)
	}
	if len(faults) == 0 && len(keys.clients) == 0 {
		faults = append(faults, errors.New("no key in it: make one with passbook keys new NAME --scopes …"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return keys, nil
}

func (k *Keys) add(line string, number int, names map[event.Actor]int) error {
	words := strings.Fields(line)
	if len(words) != 3 {
		return errors.New("want three words: name, hash, scopes")
	}
	if err := checkName(words[0]); err != nil {
		return err
	}
	hash, err := parseHash(words[1])
	if err != nil {
		return err
	}
	scopes, err := ParseScopes(words[2])
	if err != nil {
		return err
	}
	name := event.Actor(words[0])
	if first, taken := names[name]; taken {
		return fmt.Errorf("the name is that of line %d", first)
	}
	if _, taken := k.clients[hash]; taken {
		return errors.New("the hash is that of an earlier line")
	}
	names[name] = number
	k.clients[hash] = client{name: name, scopes: scopes}
	return nil
}

// find returns whose key was presented. Looking up a hash tells an observer
// nothing of use about the keys that exist.
func (k *Keys) find(presented string) (client, bool) {
	if len(presented) > presentedMax {
		return client{}, false
	}
	found, ok := k.clients[hashOf(presented)]
	return found, ok
}

func (c client) may(scope string) bool { return slices.Contains(c.scopes, Scope(scope)) }
