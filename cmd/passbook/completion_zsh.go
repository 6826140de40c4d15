package main

import (
	"fmt"
	"strings"
)

// zshCompletion makes a script for zsh, to be sourced after compinit or to be put
// as _passbook into a folder of fpath.
func zshCompletion(commands []completedCommand) string {
	deeper, values := wordPatterns(commands)
	var cases, words strings.Builder
	for _, c := range commands {
		for _, flag := range c.flags {
			if flag.takesValue {
				fmt.Fprintf(&cases, "\t%s) %s; return ;;\n", shellQuote(c.at+" "+flag.word), zshValue(flag.completedValue))
			}
		}
		fmt.Fprintf(&words, "\t%s)\n\t\tflags=(", shellQuote(c.at))
		for _, flag := range c.flags {
			words.WriteString(" " + zshWord(flag.completedWord))
		}
		words.WriteString(" )\n")
		switch {
		case len(c.commands) > 0:
			words.WriteString("\t\tif [[ $cur != -* ]]; then\n\t\t\tcommands=(")
			for _, command := range c.commands {
				words.WriteString(" " + zshWord(command))
			}
			words.WriteString(" )\n\t\t\t_describe command commands\n\t\t\treturn\n\t\tfi\n")
		case len(c.args) > 0:
			words.WriteString("\t\tif [[ $cur != -* ]]; then\n\t\t\tcase $args in\n")
			for i, arg := range c.args {
				fmt.Fprintf(&words, "\t\t\t%d) %s; return ;;\n", i, zshValue(arg))
			}
			words.WriteString("\t\t\tesac\n\t\tfi\n")
		}
		words.WriteString("\t\t;;\n")
	}
	return fmt.Sprintf(zshScript, strings.Join(deeper, "|"), strings.Join(values, "|"), cases.String(), words.String())
}

// zshWord writes a word and what it stands for as _describe reads them.
func zshWord(word completedWord) string {
	return shellQuote(strings.ReplaceAll(word.word, ":", `\:`) + ":" + word.help)
}

func zshValue(value completedValue) string {
	switch {
	case len(value.words) > 0:
		quoted := make([]string, len(value.words))
		for i, word := range value.words {
			quoted[i] = shellQuote(word)
		}
		return "compadd -- " + strings.Join(quoted, " ")
	case value.file:
		return "_files"
	}
	return ":"
}

// zshScript finds out which command the words before the cursor name (at), how
// many arguments it has (args), and what stands before the cursor.
const zshScript = `#compdef passbook
# Completion of passbook for zsh. Load it after compinit with: source <(passbook completion zsh)
_passbook() {
	local cur=${words[CURRENT]} prev=${words[CURRENT-1]} at='' word
	local -i args=0 i
	local -a flags commands
	if [[ $cur == --*=* ]]; then
		prev=${cur%%%%=*}
		compset -P '*='
	fi
	for ((i = 2; i < CURRENT; i++)); do
		word=${words[i]}
		case "$at $word" in
		%s) at+=" $word" ;;
		%s) ((i++)) ;;
		*) [[ $word == -* ]] || ((args++)) ;;
		esac
	done
	case "$at $prev" in
%s	esac
	case $at in
%s	esac
	_describe flag flags
}
if [[ $funcstack[1] == _passbook ]]; then
	_passbook "$@"
else
	compdef _passbook passbook
fi
`
