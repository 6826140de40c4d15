package main

import (
	"fmt"
	"strings"
)

// fishCompletion makes a script for fish 3.0 and later.
func fishCompletion(commands []completedCommand) string {
	deeper, values := wordPatterns(commands)
	var rules strings.Builder
	for _, c := range commands {
		here := fishQuote("__passbook_at " + fishQuote(c.at))
		for _, command := range c.commands {
			fmt.Fprintf(&rules, "complete -c passbook -n %s -a %s -d %s\n", here, command.word, fishQuote(command.help))
		}
		for i, arg := range c.args {
			nth := fishQuote(fmt.Sprintf("__passbook_at %s %d", fishQuote(c.at), i))
			if arg.file {
				fmt.Fprintf(&rules, "complete -c passbook -n %s -F\n", nth)
			} else if len(arg.words) > 0 {
				fmt.Fprintf(&rules, "complete -c passbook -n %s -a %s\n", nth, fishQuote(strings.Join(arg.words, " ")))
			}
		}
		for _, flag := range c.flags {
			fmt.Fprintf(&rules, "complete -c passbook -n %s -l %s%s -d %s\n", here, strings.TrimPrefix(flag.word, "--"), fishValue(flag), fishQuote(flag.help))
		}
	}
	return fmt.Sprintf(fishScript, strings.Join(deeper, " "), strings.Join(values, " "), rules.String())
}

func fishValue(flag completedFlag) string {
	switch {
	case !flag.takesValue:
		return ""
	case len(flag.words) > 0:
		return " -x -a " + fishQuote(strings.Join(flag.words, " "))
	case flag.file:
		return " -r -F"
	}
	return " -x"
}

// fishQuote writes text as one word of fish.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

// fishScript asks whether the words before the cursor name a command, and have
// as many arguments behind it.
const fishScript = `# Completion of passbook for fish. Load it with: passbook completion fish | source
function __passbook_at
	set -l at ''
	set -l args 0
	set -l skip 0
	set -l words (commandline -opc)
	set -e words[1]
	for word in $words
		if test $skip = 1
			set skip 0
			continue
		end
		switch "$at $word"
			case %s
				set at "$at $word"
			case %s
				set skip 1
			case '* -*'
			case '*'
				set args (math $args + 1)
		end
	end
	test "$at" = "$argv[1]"; and begin
		test (count $argv) = 1; or test $args = "$argv[2]"
	end
end
complete -c passbook -f
%s`
