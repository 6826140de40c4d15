package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// completionScript is what the program prints for a shell.
func completionScript(t *testing.T, shell string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Zero(t, execute([]string{"completion", shell}, &stdout, &stderr), stderr.String())
	return stdout.String()
}

// completions sources the script in bash and asks for completions of the last
// word, as bash does when somebody presses the key.
func completions(t *testing.T, words ...string) []string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		testenv.Skip(t, "bash")
	}
	script := completionScript(t, "bash") + `
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_passbook
[[ ${#COMPREPLY[@]} == 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
complete -p passbook >&2
`
	file := filepath.Join(t.TempDir(), "completion.bash")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	run := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "-u", file}, words...)...)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err := run.Output()
	require.NoError(t, err, stderr.String())
	require.Equal(t, "complete -F _passbook passbook\n", stderr.String(), "nothing else is said")
	return strings.Fields(string(out))
}

func TestCompletion_Bash(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "one"), nil, 0o600))
	for name, c := range map[string]struct {
		words []string
		want  []string
	}{
		"Command":            {[]string{"passbook", "acc"}, []string{"accounts"}},
		"CommandBelow":       {[]string{"passbook", "accounts", "dep"}, []string{"deposit"}},
		"AllBelow":           {[]string{"passbook", "accounts", ""}, []string{"open", "deposit", "withdraw", "close", "get", "list", "history", "statement"}},
		"Flag":               {[]string{"passbook", "accounts", "open", "--hol"}, []string{"--holder"}},
		"FlagBehindArgument": {[]string{"passbook", "accounts", "deposit", "a1", "5", "--ref"}, []string{"--reference"}},
		"FlagOfAnother":      {[]string{"passbook", "accounts", "get", "--hol"}, nil},
		"Value":              {[]string{"passbook", "accounts", "open", "--type", ""}, []string{"savings", "current"}},
		"ValueBehindEquals":  {[]string{"passbook", "accounts", "open", "--type", "=", "s"}, []string{"savings"}},
		"ValueAtEquals":      {[]string{"passbook", "accounts", "open", "--type", "="}, []string{"savings", "current"}},
		"ValueNobodyGuesses": {[]string{"passbook", "accounts", "open", "--holder", ""}, nil},
		"ValueLikeACommand":  {[]string{"passbook", "accounts", "open", "--holder", "get", "--ty"}, []string{"--type"}},
		"ValueBehindADone=":  {[]string{"passbook", "accounts", "open", "--holder", "=", "get", "--ty"}, []string{"--type"}},
		"Argument":           {[]string{"passbook", "completion", ""}, []string{"bash", "zsh", "fish"}},
		"File":               {[]string{"passbook", "serve", "--data", folder + "/"}, []string{folder + "/one"}},
		"FileBehindAFlag=":   {[]string{"passbook", "backup", "--data", "=", "x", folder + "/"}, []string{folder + "/one"}},
		"NoSuchCommand":      {[]string{"passbook", "bogus", "ope"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, strings.Join(c.want, " "), strings.Join(completions(t, c.words...), " "))
		})
	}
}

// The other shells are not on every machine. Where one is, it reads its script;
// everywhere, its script knows every command and flag that bash's does.
func TestCompletion_ZshAndFish(t *testing.T) {
	for shell, arguments := range map[string][]string{"zsh": {"-f", "-n"}, "fish": {"--no-config", "-n"}} {
		t.Run(shell, func(t *testing.T) {
			script := completionScript(t, shell)
			for _, word := range []string{"'deposit", " accounts open", "holder", "savings", "Money", "completion"} {
				switch {
				case shell == "fish" && word == "'deposit":
					word = "-a deposit "
				case word == "Money":
					word = "Put money into an account."
				}
				require.Contains(t, script, word)
			}
			require.NotContains(t, script, "%!", "a verb without its value")
			path, err := exec.LookPath(shell)
			if err != nil {
				testenv.Skip(t, shell)
			}
			file := filepath.Join(t.TempDir(), "completion")
			require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
			out, err := exec.CommandContext(t.Context(), path, append(arguments, file)...).CombinedOutput()
			require.NoError(t, err, string(out))
			require.Empty(t, string(out))
		})
	}
}

// Every command that there is can be completed, and so can one that is added.
func TestCompletion_EveryCommand(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Zero(t, execute([]string{"--help"}, &stdout, &stderr))
	_, list, found := strings.Cut(stdout.String(), "Commands:\n")
	require.True(t, found)
	bash := completionScript(t, "bash")
	commands := 0
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "     ") || len(words) == 0 {
			continue
		}
		command, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		command, _, _ = strings.Cut(command, " <")
		require.Contains(t, bash, "' "+command+"'")
		commands++
	}
	require.Greater(t, commands, 10)
}
