package main

import (
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// negative is a number below zero as it is typed. No flag starts with a digit,
// so nothing else is meant by it.
var negative = regexp.MustCompile(`^-\.?[0-9]`)

// allowNegative has numbers below zero taken for the values they are, not for
// flags: they go behind "--", where nothing is a flag. Then whoever withdraws -5
// reads about money, not about a flag -5 that is not known. Behind a flag that
// takes a value, anything with one hyphen is that value: --sort -balance.
func allowNegative(model *kong.Application, args []string) []string {
	takesValue := valueFlags(model.Node, map[string]bool{})
	var kept, values []string
	for i, arg := range args {
		short := strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && arg != "-h"
		switch {
		case arg == "--":
			return append(append(append(kept, "--"), values...), args[i+1:]...)
		case short && i > 0 && takesValue[args[i-1]]:
			kept[len(kept)-1] += "=" + arg
		case negative.MatchString(arg):
			values = append(values, arg)
		default:
			kept = append(kept, arg)
		}
	}
	if len(values) == 0 {
		return kept
	}
	return append(append(kept, "--"), values...)
}

// valueFlags collects the flags of all commands that take a value.
func valueFlags(node *kong.Node, names map[string]bool) map[string]bool {
	for _, flag := range node.Flags {
		if !flag.IsBool() {
			names["--"+flag.Name] = true
		}
	}
	for _, child := range node.Children {
		valueFlags(child, names)
	}
	return names
}
