package e2e_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// runVerify runs "passbook verify" and returns what it prints, and its exit code.
func runVerify(t *testing.T, data string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), testenv.Program(t), append([]string{"verify", "--data", data}, args...)...)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	command.Env = append(os.Environ(), "PASSBOOK_READ_DB=", "TMPDIR="+t.TempDir())
	err := command.Run()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // it is never wrapped
		require.NoError(t, err)
	}
	return out.String(), problems.String(), command.ProcessState.ExitCode()
}

// files tells the content of a folder, less what SQLite and locks leave beside
// their files.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	}))
	return all
}

func TestVerifyCommand(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	ids := []string{open(t, p, "Ann", 10), open(t, p, "Bob", 20)}
	for i := range 20 {
		deposit(t, p, ids[i%2], i+1)
	}
	requireBalance(t, p, ids[0], "110.0")
	requireBalance(t, p, ids[1], "130.0")

	// Beside a serve that runs.
	stdout, stderr, code := runVerify(t, data, "--broker", "kafka://"+p.Broker)
	require.Zero(t, code, "%s\n%s", stdout, stderr)
	require.Contains(t, stdout, "agree")
	require.Contains(t, stdout, "22 events")
	require.Contains(t, stderr, "verify: 100 %")
	stdout, _, code = runVerify(t, data, "--broker", "embedded:"+p.Broker)
	require.Zero(t, code, stdout)
	p.Stop()

	// Without one, and nothing is left changed.
	before := files(t, data)
	stdout, stderr, code = runVerify(t, data)
	require.Zero(t, code, "%s\n%s", stdout, stderr)
	require.Contains(t, stdout, "22 entries")
	require.Equal(t, before, files(t, data))

	stdout, _, code = runVerify(t, data, "--json")
	require.Zero(t, code, stdout)
	var report struct {
		Agree   bool
		Events  int
		Records int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.True(t, report.Agree)
	require.Equal(t, 22, report.Events)
	require.Equal(t, 22, report.Records)

	// What does not agree is named.
	alter(t, filepath.Join(data, "readmodel.db"), "UPDATE account_entry SET amount = '99.00' WHERE account_id = ? AND version = 3", ids[1])
	stdout, _, code = runVerify(t, data)
	require.Equal(t, 1, code, stdout)
	require.Contains(t, stdout, "read model: altered: stream "+ids[1]+" version 3 position")
	require.Contains(t, stdout, `amount is "99.00", by the events "6.00"`)
	stdout, _, code = runVerify(t, data, "--json")
	require.Equal(t, 1, code)
	require.Contains(t, stdout, `"agree":false`)
}

// What cannot be compared is one line, and another exit code.
func TestVerifyCommand_CouldNot(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := testenv.Start(t, data)
	open(t, p, "Ann", 10)
	p.AwaitReady(t.Context())
	p.Stop()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"NoStore":     {[]string{"--data", t.TempDir()}, "PASSBOOK_EVENT_STORE"},
		"NoReadModel": {[]string{"--read-db", "sqlite:" + filepath.Join(data, "none.db")}, "PASSBOOK_READ_DB"},
		"NoBroker":    {[]string{"--broker", "kafka://" + testenv.FreeAddr(t)}, "PASSBOOK_BROKER"},
		"NoTopic":     {[]string{"--topic", "nothing"}, "no such topic"},
		"BadBroker":   {[]string{"--broker", "rabbit"}, "PASSBOOK_BROKER"},
		"BadLimit":    {[]string{"--limit", "0"}, "--limit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := runVerify(t, data, c.args...)
			require.Equal(t, 2, code, "%s\n%s", stdout, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.says)
			require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
	t.Run("BrokerGone", func(t *testing.T) {
		t.Parallel()
		other := t.TempDir()
		p := testenv.Start(t, other)
		open(t, p, "Bob", 10)
		p.AwaitReady(t.Context())
		p.Stop()
		require.NoError(t, os.RemoveAll(filepath.Join(other, "broker")))
		_, stderr, code := runVerify(t, other)
		require.Equal(t, 2, code)
		require.Contains(t, stderr, "PASSBOOK_BROKER")
	})
}

// A serve that is busy is compared with nothing held up: it goes on to answer.
func TestVerifyCommand_UnderLoad(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	program, p := testenv.Program(t), testenv.Start(t, data)
	id := open(t, p, "Busy", 1)
	p.AwaitReady(t.Context())
	ended := make(chan string)
	go func() {
		defer close(ended)
		for range times(4) {
			command := exec.CommandContext(t.Context(), program, "verify", "--data", data, "--broker", "kafka://"+p.Broker)
			out, err := command.CombinedOutput()
			if err != nil {
				ended <- err.Error() + ": " + string(out)
			}
		}
	}()
	for isRunning := true; isRunning; {
		deposit(t, p, id, 1) // all the while
		select {
		case problem, ok := <-ended:
			require.Empty(t, problem)
			isRunning = ok
		default:
		}
	}
	p.Stop()
}
