package main

import (
	"encoding/json"
	"fmt"

	"passbook/bank/access"
)

type keysCommand struct {
	New keysNewCommand `cmd:"" help:"Make an API key: the key is printed once, with the line to keep of it."`
}

type keysNewCommand struct {
	Name   string `arg:"" help:"Name of the client; idempotency keys belong to it."`
	Scopes string `help:"What the key is good for: some of command, query, operate." placeholder:"SCOPE,..." required:""`
	JSON   bool   `help:"Print one JSON object." name:"json"`
}

// Run makes a key. It goes to standard output, the line too: neither is kept
// anywhere.
func (c *keysNewCommand) Run(out output) error {
	scopes, err := access.ParseScopes(c.Scopes)
	if err != nil {
		return fmt.Errorf("--scopes: %w", err)
	}
	key, line, err := access.NewKey(c.Name, scopes)
	if err != nil {
		return err //nolint:wrapcheck // it is for people already
	}
	if c.JSON {
		err = json.NewEncoder(out.stdout).Encode(map[string]string{"key": key, "line": line})
	} else {
		_, err = fmt.Fprintf(out.stdout, "The key, for the client; it cannot be shown again:\n\n  %s\n\n"+
			"Its line, for the file that PASSBOOK_API_KEYS names:\n\n  %s\n", key, line)
	}
	return err //nolint:wrapcheck // standard output tells enough
}
