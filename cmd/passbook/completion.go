package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help tells how to load a script.
func (*completionCommand) Help() string {
	return `Load it in the shell that is running, or from the file that the shell reads at its start:

  bash:  source <(passbook completion bash)
  zsh:   source <(passbook completion zsh)     after compinit
  fish:  passbook completion fish | source`
}

// Run prints a script that completes whatever command line this program has.
func (c *completionCommand) Run(line *kong.Context, out output) error {
	commands := completable(line.Model.Node, "", nil)
	script := map[string]func([]completedCommand) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	_, err := fmt.Fprint(out.stdout, script(commands))
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}

// completedCommand is a command as a completion sees it.
type completedCommand struct {
	at       string // its words, each with a space before it; empty: the program itself
	commands []completedWord
	flags    []completedFlag
	// args are what its arguments may be, the first one's first.
	args []completedValue
}

// completedWord is a word with what it stands for.
type completedWord struct{ word, help string }

// completedValue is a value: one of some words, a file, or something that nobody
// can guess.
type completedValue struct {
	words []string
	file  bool
}

type completedFlag struct {
	completedWord
	completedValue

	takesValue bool
}

// completable lists a command and all below it. Flags of a command are flags of
// those below it, too.
func completable(node *kong.Node, at string, inherited []completedFlag) []completedCommand {
	c := completedCommand{at: at, flags: slices.Clone(inherited)}
	for _, flag := range node.Flags {
		if flag.Hidden {
			continue
		}
		c.flags = append(c.flags, completedFlag{
			completedWord:  completedWord{word: "--" + flag.Name, help: flag.Help},
			completedValue: valueOf(flag.Value, flag.PlaceHolder), takesValue: !flag.IsBool(),
		})
	}
	for _, arg := range node.Positional {
		c.args = append(c.args, valueOf(arg, arg.Name))
	}
	var below []completedCommand
	for _, child := range node.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		c.commands = append(c.commands, completedWord{word: child.Name, help: child.Help})
		below = append(below, completable(child, at+" "+child.Name, c.flags)...)
	}
	return append([]completedCommand{c}, below...)
}

// valueOf tells what a value may be: what its enum lists, or its tag "complete",
// which promises nothing but saves typing. Files are known by their type, or by
// what people are told to put there.
func valueOf(value *kong.Value, name string) completedValue {
	if value.Enum != "" {
		return completedValue{words: slices.DeleteFunc(value.EnumSlice(), func(word string) bool { return word == "" })}
	}
	if listed := value.Tag.Get("complete"); listed != "" {
		return completedValue{words: strings.Split(listed, ",")}
	}
	switch strings.ToUpper(name) {
	case "FILE", "FOLDER", "PATH":
		return completedValue{file: true}
	}
	return completedValue{file: strings.Contains(value.Tag.Type, "file") || strings.Contains(value.Tag.Type, "path") || strings.Contains(value.Tag.Type, "dir")}
}

func (c *completedCommand) flagWords() []string {
	words := make([]string, len(c.flags))
	for i, flag := range c.flags {
		words[i] = flag.word
	}
	return words
}

func (c *completedCommand) commandWords() []string {
	words := make([]string, len(c.commands))
	for i, command := range c.commands {
		words[i] = command.word
	}
	return words
}

// wordPatterns lists, for a case of the shell, the lines that go one command
// deeper, and the flags whose value is no command.
func wordPatterns(commands []completedCommand) (deeper, values []string) {
	for _, c := range commands {
		if c.at != "" {
			deeper = append(deeper, shellQuote(c.at))
		}
		for _, flag := range c.flags {
			if flag.takesValue {
				values = append(values, shellQuote(c.at+" "+flag.word))
			}
		}
	}
	return deeper, values
}

// shellQuote writes text as one word of bash and zsh.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
