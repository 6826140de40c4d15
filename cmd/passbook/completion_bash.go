package main

import (
	"fmt"
	"strings"
)

// bashCompletion makes a script for bash 3.2 and later, without bash-completion.
func bashCompletion(commands []completedCommand) string {
	deeper, values := wordPatterns(commands)
	var cases, words strings.Builder
	for _, c := range commands {
		for _, flag := range c.flags {
			if flag.takesValue {
				fmt.Fprintf(&cases, "\t%s) %s; return ;;\n", shellQuote(c.at+" "+flag.word), bashValue(flag.completedValue))
			}
		}
		fmt.Fprintf(&words, "\t%s)\n\t\tflags=%s\n", shellQuote(c.at), shellQuote(strings.Join(c.flagWords(), " ")))
		switch {
		case len(c.commands) > 0:
			fmt.Fprintf(&words, "\t\t[[ $cur == -* ]] || { COMPREPLY=($(compgen -W %s -- \"$cur\")); return; }\n",
				shellQuote(strings.Join(c.commandWords(), " ")))
		case len(c.args) > 0:
			fmt.Fprintf(&words, "\t\tif [[ $cur != -* ]]; then\n\t\t\tcase $args in\n")
			for i, arg := range c.args {
				fmt.Fprintf(&words, "\t\t\t%d) %s; return ;;\n", i, bashValue(arg))
			}
			words.WriteString("\t\t\tesac\n\t\tfi\n")
		}
		words.WriteString("\t\t;;\n")
	}
	return fmt.Sprintf(bashScript, strings.Join(deeper, "|"), strings.Join(values, "|"), cases.String(), words.String())
}

func bashValue(value completedValue) string {
	switch {
	case len(value.words) > 0:
		return fmt.Sprintf(`COMPREPLY=($(compgen -W %s -- "$cur"))`, shellQuote(strings.Join(value.words, " ")))
	case value.file:
		return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))`
	}
	return "COMPREPLY=()"
}

// bashScript finds out which command the words before the cursor name (at), how
// many arguments it has (args), and what stands before the cursor. Bash takes
// --flag=value apart into three words.
const bashScript = `# Completion of passbook for bash. Load it with: source <(passbook completion bash)
_passbook() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= args=0 flags= word i
	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case "$at $word" in
		%s) at+=" $word" ;;
		%s)
			[[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
			((i++))
			;;
		*) [[ $word == -* ]] || ((args++)) ;;
		esac
	done
	case "$at $prev" in
%s	esac
	case $at in
%s	esac
	COMPREPLY=($(compgen -W "$flags" -- "$cur"))
}
complete -F _passbook passbook
`
