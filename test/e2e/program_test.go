package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// program runs one command line of the program, and returns its exit code and
// what it printed.
func program(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(testenv.Program(t), args...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PASSBOOK_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, environ...)
	if failure := cmd.Run(); failure != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, failure, &exit)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// runProgram runs one command line that has to succeed, and returns what it
// printed.
func runProgram(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := program(t, nil, args...)
	require.Zero(t, code, "passbook %v: %s%s", args, stdout, stderr)
	return stdout
}
