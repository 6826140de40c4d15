package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/legacy/takeover"
	"passbook/internal/testenv"
)

// corrections has a rule for every kind, one that corrects where there is one.
func corrections() []string {
	var args []string
	for _, kind := range takeover.Kinds() {
		choice := kind.Choices[min(1, len(kind.Choices)-1)]
		if kind.Kind == takeover.OutOfOrder {
			choice = kind.Choices[2]
		}
		args = append(args, "--rule", strings.Replace(fmt.Sprintf("%s=%s", kind.Kind, choice), "TEXT", "Unknown", 1))
	}
	return args
}

// A store with everything that can be wrong in it is reported whole, and nothing
// is written before there is a rule for each kind; then its accounts are as good
// as our own.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	s := newJavaStore(t, everyIrregularity)
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"import", "--data", data, "--from", s.url}

	said, stderr, code := operate(t, args...)
	require.Equal(t, 1, code, said+stderr)
	for _, kind := range takeover.Kinds() {
		require.Contains(t, said, "\n"+string(kind.Kind)+" (needs a rule): ")
		require.Contains(t, said, fmt.Sprintf(" --rule %s=%s", kind.Kind, kind.Choices[0]))
	}
	require.Contains(t, said, "nothing is written")
	require.Contains(t, mustOperate(t, "export", "--data", data), `"head":0`)

	said, _, code = operate(t, append(append(args, "--json"), corrections()[:4]...)...)
	require.Equal(t, 1, code)
	var report struct {
		takeover.Report

		Open     []takeover.Kind
		Imported *struct{ Events int64 }
	}
	require.NoError(t, json.Unmarshal([]byte(said), &report), said)
	require.Nil(t, report.Imported)
	require.Len(t, report.Open, len(takeover.Kinds())-2)
	require.Equal(t, int64(len(s.documents)), report.Events)
	for _, i := range report.Irregularities {
		switch i.Kind {
		case takeover.NoAccount, takeover.BadAccountID:
		default:
			require.Equal(t, string(i.Kind), i.Accounts[0].Account, "the account is named after what is wrong with it")
		}
	}

	said = mustOperate(t, append(append(args, "--dry-run"), corrections()...)...)
	require.Contains(t, said, "nothing is written: these rules would import ")
	said = mustOperate(t, append(args, corrections()...)...)
	require.Contains(t, said, "negative-withdrawal: negative-withdrawal: balance there 17, here 17.00 EUR\n")
	require.Contains(t, said, "second-opening: second-opening: balance there 20, here 10.00 EUR, which is another")
	require.Contains(t, said, "imported ")
	refuses(t, append(args, corrections()...), "is not empty")
	requireTakenOver(t, data)
}

// requireTakenOver serves what was taken over from everyIrregularity.
func requireTakenOver(t *testing.T, data string) {
	t.Helper()
	p := testenv.Start(t, data)
	p.AwaitReady(t.Context())
	for id, balance := range map[string]string{
		"97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8": "130.3",
		"unknown-member":                       "11.0", "malformed": "10.0", "contradiction": "11.0", "missing-time": "11.0",
		"duplicate-version": "13.0", "out-of-order": "7.0", "gap": "11.0", "second-opening": "10.0", "not-a-number": "10.0",
		"inexact-amount": "147.3", "over-limit": "10.0", "negative-deposit": "6.0", "zero-deposit": "10.0",
		"negative-withdrawal": "17.0", "zero-withdrawal": "10.0", "overdraft": "10.0",
		"missing-holder": "10.0", "bad-holder": "10.0", "missing-type": "10.0", "negative-opening": "0.0",
	} {
		requireBalance(t, p, id, balance)
	}
	for _, id := range []string{"foreign-id", "unknown-type", "before-opening"} {
		status, _, _ := call(t, http.MethodGet, p.Query+"/api/v2/accounts/"+id, "")
		require.Equal(t, http.StatusNotFound, status, id)
	}
	for id, balance := range map[string]string{"after-closing": "0.00", "closing-with-money": "10.00"} {
		_, _, answer := call(t, http.MethodGet, p.Query+"/api/v2/accounts/"+id, "")
		require.Contains(t, answer, `"status":"CLOSED"`)
		require.Contains(t, answer, `"amount":"`+balance+`"`)
	}
	_, _, statement := call(t, http.MethodGet, p.Query+"/api/v2/accounts/out-of-order/statement", "")
	require.Regexp(t, `"kind":"OPENED".*"kind":"DEPOSITED".*"kind":"WITHDRAWN"`, statement)

	deposit(t, p, "gap", 1)
	requireBalance(t, p, "gap", "12.0")
	requireNotified(t, p, 1)
	out, said, code := runVerify(t, data, "--broker", "kafka://"+p.Broker)
	require.Zero(t, code, out+said)
	records := testenv.ReadFeed(t, p.Broker)
	imported := 0
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == "ce_imported" {
				require.Equal(t, "true", string(h.Value))
				imported++
			}
		}
	}
	require.Equal(t, len(records)-1, imported, "all but the deposit")
	p.Stop()
}

// A takeover that is killed goes on with the same rules, and ends as one that was
// not.
func TestTakeOver_Killed(t *testing.T) {
	t.Parallel()
	s := newJavaStore(t, manyAccounts(2000))
	dir := t.TempDir()
	rule := []string{"--rule", "negative-withdrawal=as-deposit"}
	args := func(name string, rule ...string) []string {
		return append([]string{"import", "--data", filepath.Join(dir, name), "--from", s.url}, rule...)
	}
	mustOperate(t, args("whole", rule...)...)
	want := mustOperate(t, "export", "--data", filepath.Join(dir, "whole"))

	cmd := exec.CommandContext(t.Context(), testenv.Program(t), args("killed", rule...)...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said strings.Builder
	for !strings.Contains(said.String(), "import:") {
		part := make([]byte, 512)
		n, err := stderr.Read(part)
		require.NoError(t, err, said.String())
		said.Write(part[:n])
	}
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed, unless it was done before
	head, interrupted := stateOf(t, filepath.Join(dir, "killed"))
	t.Logf("killed at position %d, interrupted: %t", head, interrupted)
	if interrupted {
		require.Contains(t, testenv.Refused(t, filepath.Join(dir, "killed")), "run the same import again")
		refuses(t, args("killed", "--rule", "negative-withdrawal=leave-out-event"), "another import is under way", "the same --rule")
		require.Contains(t, mustOperate(t, args("killed", rule...)...), "imported 20,001 events of 2,000 accounts")
	}
	requireSameButHistory(t, want, mustOperate(t, "export", "--data", filepath.Join(dir, "killed")))
}

// requireSameButHistory: but for the id of the history, the time, and the
// checksum which is over both.
func requireSameButHistory(t *testing.T, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	require.Equal(t, a[1:len(a)-2], b[1:len(b)-2])
	require.Len(t, a, 20_001+3)
}

func TestTakeOver_Refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := func(url string, more ...string) []string {
		return append([]string{"import", "--data", filepath.Join(dir, "data"), "--from", url}, more...)
	}
	empty := newJavaStore(t, func(s *javaStore) { s.opened("a", 0, 1) })
	refuses(t, from(empty.url, "--rule", "overdraft=ignore"), "--rule: overdraft has no rule", "leave-out-event")
	refuses(t, from(empty.url, "--currency", "EURO"), "PASSBOOK_CURRENCY")
	refuses(t, from("mongodb://me:secret@127.0.0.1:99999/x"), "--from", "the MongoDB URL")
	refuses(t, from("file", "--rule", "gap=renumber"), "--rule is for --from mongodb://")
	refuses(t, from("file", "--json"), "--json is for --from mongodb://")
	require.NoDirExists(t, filepath.Join(dir, "data"))
	refuses(t, from(testenv.MongoDatabase(t)), "--from", "there are no events")
	_, said, _ := operate(t, from("mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=100")...)
	require.NotContains(t, said, "secret")

	own := testenv.MongoDatabase(t)
	p := testenv.Start(t, filepath.Join(dir, "own"), "--event-store", own)
	open(t, p, "Own", 1)
	p.Stop()
	refuses(t, from(own), "an event store of passbook itself", "passbook import --from FILE")
	refuses(t, from(empty.url, "--event-store", empty.url), "PASSBOOK_EVENT_STORE", "use another database")
}
