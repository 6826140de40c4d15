package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

// operate runs a command of the operators' and returns what it prints and its
// exit code.
func operate(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t), args...)
	return finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func mustOperate(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := operate(t, args...)
	require.Zero(t, code, "%s%s", stdout, stderr)
	return stdout
}

// refuses wants exit code 2 and one line that says each of the words.
func refuses(t *testing.T, args []string, words ...string) {
	t.Helper()
	stdout, stderr, code := operate(t, args...)
	require.Equal(t, 2, code, stderr)
	require.Empty(t, stdout)
	requireOneFault(t, stderr, words...)
}

func requireOneFault(t *testing.T, stderr string, words ...string) {
	t.Helper()
	var faults []string
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "passbook: ") {
			faults = append(faults, line)
		}
	}
	require.Len(t, faults, 1, stderr)
	for _, word := range words {
		require.Contains(t, faults[0], word)
	}
}

// keyedDeposit pays in under an idempotency key.
func keyedDeposit(t *testing.T, p *testenv.Passbook, id, key string, amount int) (http.Header, string) {
	t.Helper()
	status, header, answer := call(t, http.MethodPut, p.Command+"/api/v1/depositFunds/"+id, fmt.Sprintf(`{"amount":%d}`, amount), "Idempotency-Key", key)
	require.Equal(t, http.StatusOK, status, answer)
	return header, answer
}

// A store that is taken along as a file is the same store: balances, history,
// keys. The file is taken while the service runs.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := testenv.Start(t, filepath.Join(dir, "old"))
	id := open(t, p, "Moving", 100)
	_, answer := keyedDeposit(t, p, id, "salary", 20)
	file := filepath.Join(dir, "file")
	require.Contains(t, mustOperate(t, "export", "--data", filepath.Join(dir, "old"), file), "2 events, 1 idempotency keys")
	piped, said, code := operate(t, "export", "--data", filepath.Join(dir, "old"), "-")
	require.Zero(t, code, said)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	requireSameExport(t, string(content), piped)
	refuses(t, []string{"import", "--data", filepath.Join(dir, "old"), "--from", file}, "PASSBOOK_DATA", "held by another passbook")
	p.Stop()
	refuses(t, []string{"import", "--data", filepath.Join(dir, "old"), "--from", file}, "is not empty: it holds 2 events")

	refuses(t, []string{"export", "--data", filepath.Join(dir, "old"), file}, "exists already", "--force")
	mustOperate(t, "export", "--data", filepath.Join(dir, "old"), "--force", file)

	target := filepath.Join(dir, "new")
	require.Contains(t, mustOperate(t, "import", "--data", target, "--from", file), "imported 2 events and 1 idempotency keys")
	p = testenv.Start(t, target)
	requireBalance(t, p, id, "120.0")
	header, again := keyedDeposit(t, p, id, "salary", 20)
	require.Equal(t, answer, again)
	require.Equal(t, "true", header.Get("Idempotent-Replayed"))
	deposit(t, p, id, 1)
	requireBalance(t, p, id, "121.0")
	require.Zero(t, testenv.RequireFeed(t, p.Broker, 3))
	out, _, _ := operate(t, "export", "--data", target)
	require.Equal(t, 2, strings.Count(out, `"imported":true`), "what happened before is marked, what comes is not")
	p.Stop()
}

// requireSameExport: but for the time, and the checksum which is over that too.
func requireSameExport(t *testing.T, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	require.Equal(t, a[1:len(a)-2], b[1:len(b)-2])
}

func TestExportAndImport_Refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "file")
	refuses(t, []string{"export", "--data", data, file}, "PASSBOOK_EVENT_STORE", "events.db")
	require.NoFileExists(t, file)
	p := testenv.Start(t, data)
	open(t, p, "Any", 1)
	p.Stop()
	mustOperate(t, "export", "--data", data, file)

	fresh := filepath.Join(dir, "fresh")
	refuses(t, []string{"import", "--data", fresh, "--from", file, "--rule", "gap=renumber"}, "--rule is for --from mongodb://")
	refuses(t, []string{"import", "--data", fresh, "--from", filepath.Join(dir, "nothing")}, "--from", "no such file")
	refuses(t, []string{"import", "--data", fresh, "--event-store", "postgres://x/y", "--from", file}, "PASSBOOK_EVENT_STORE")
	require.NoDirExists(t, fresh)
	refuses(t, []string{"export", "--data", data, filepath.Join(dir, "no", "folder")}, "FILE", "no such file")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	for name, bad := range map[string][]byte{
		"cut":     content[:len(content)-1],
		"altered": bytes.Replace(content, []byte(`"accountHolder":"Any"`), []byte(`"accountHolder":"Ann"`), 1),
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		refuses(t, []string{"import", "--data", fresh, "--from", path}, "the file cannot be imported: line 3")
		require.Contains(t, mustOperate(t, "export", "--data", fresh), `"head":0`, "nothing is written")
	}
	mustOperate(t, "import", "--data", fresh, "--from", file)
}

// An import that was interrupted leaves a store that nobody serves; run again,
// it goes on.
func TestImport_Interrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "file")
	p := testenv.Start(t, data)
	id := open(t, p, "Interrupted", 5)
	p.Stop()
	mustOperate(t, "export", "--data", data, file)
	require.NoError(t, os.RemoveAll(filepath.Join(data, "events.db")))
	content, err := os.ReadFile(file)
	require.NoError(t, err)

	// The mark that a run leaves behind which was killed before its first batch.
	var end struct{ End struct{ SHA256 string } }
	require.NoError(t, json.Unmarshal(content[bytes.LastIndexByte(content[:len(content)-1], '\n')+1:], &end))
	store, err := sqlite.OpenEventStore(t.Context(), filepath.Join(data, "events.db"))
	require.NoError(t, err)
	_, err = store.BeginImport(t.Context(), end.End.SHA256)
	require.NoError(t, err)
	require.NoError(t, store.Close())

	text := testenv.Refused(t, data)
	require.Contains(t, text, "an import into it has not ended: run the same import again")
	require.Equal(t, 1, strings.Count(text, "\n"), text)
	refuses(t, []string{"export", "--data", data}, "has not ended")
	refuses(t, []string{"backup", "--data", data, filepath.Join(dir, "bak")}, "has not ended")
	require.NoFileExists(t, filepath.Join(dir, "bak"))

	// It removes what the data folder has of the store before: its feed would
	// stop the relay, and its read model the queries.
	require.DirExists(t, filepath.Join(data, "broker"))
	mustOperate(t, "import", "--data", data, "--from", file)
	p = testenv.Start(t, data)
	requireBalance(t, p, id, "5.0")
	p.AwaitReady(t.Context())
	require.Zero(t, testenv.RequireFeed(t, p.Broker, 1))
	p.Stop()
}

// Killed in the middle of a large file, whatever it was doing.
func TestImport_Killed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	events := int64(30_000)
	if testenv.Race() {
		events = 10_000
	}
	largeExport(t, file, events)
	for _, sign := range []string{"check", "import"} {
		data := filepath.Join(dir, sign)
		cmd := exec.CommandContext(t.Context(), testenv.Program(t), "import", "--data", data, "--from", file)
		stderr, err := cmd.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		said := make([]byte, 0, 4096)
		for !strings.Contains(string(said), sign+":") {
			part := make([]byte, 512)
			n, err := stderr.Read(part)
			require.NoError(t, err, string(said))
			said = append(said, part[:n]...)
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed, unless it was done before
		head, interrupted := stateOf(t, data)
		if head == events && !interrupted {
			refuses(t, []string{"import", "--data", data, "--from", file}, "is not empty")
			continue
		}
		require.Equal(t, sign == "import", interrupted)
		if interrupted {
			require.Contains(t, testenv.Refused(t, data), "run the same import again")
		}
		out := mustOperate(t, "import", "--data", data, "--from", file)
		require.Contains(t, out, fmt.Sprintf("imported %d,000 events", events/1000))
		require.Equal(t, sign == "import", strings.Contains(out, fmt.Sprintf("(%d,%03d of them by an earlier run)", head/1000, head%1000)), out)
		exported := mustOperate(t, "export", "--data", data)
		require.Equal(t, int(events), strings.Count(exported, `"imported":true`))
	}
}

// stateOf tells what the store of a data folder holds, and whether an import into
// it has not ended.
func stateOf(t *testing.T, data string) (head int64, interrupted bool) {
	t.Helper()
	store, err := sqlite.OpenEventStore(t.Context(), filepath.Join(data, "events.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	head, err = store.Head(t.Context())
	require.NoError(t, err)
	_, err = store.History(t.Context())
	return head, errors.Is(err, eventstore.ErrNoHistory)
}

// A back-up that was taken of a running service is put back: the accounts stand
// as they stood, under a new history, and all that was built from the old one is
// built anew.
func TestBackupAndRecover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, bak := filepath.Join(dir, "data"), filepath.Join(dir, "bak")
	p := testenv.Start(t, data)
	id := open(t, p, "Careful", 10)
	require.Contains(t, mustOperate(t, "backup", "--data", data, bak), "events up to position 1 of history ")
	refuses(t, []string{"backup", "--data", data, bak}, "exists already")
	deposit(t, p, id, 5)
	deposit(t, p, id, 6)
	requireBalance(t, p, id, "21.0")
	requireNotified(t, p, 3)
	refuses(t, []string{"recover", "--data", data, bak}, "PASSBOOK_DATA", "held by another passbook")
	p.Stop()
	refuses(t, []string{"recover", "--data", data, filepath.Join(data, "readmodel.db")}, "something else")
	refuses(t, []string{"recover", "--data", data, filepath.Join(dir, "nothing")}, "no such file")
	require.Contains(t, mustOperate(t, "export", "--data", data), `"head":3`)

	out := mustOperate(t, "recover", "--data", data, bak)
	require.Contains(t, out, "recovered: events up to position 1")
	old, err := filepath.Glob(filepath.Join(data, "events.db.before-*"))
	require.NoError(t, err)
	require.Len(t, old, 1)
	require.Contains(t, out, filepath.Base(old[0]))
	require.NoDirExists(t, filepath.Join(data, "broker"))
	require.Contains(t, mustOperate(t, "export", "--event-store", "sqlite:"+old[0]), `"head":3`)

	p = testenv.Start(t, data)
	p.AwaitReady(t.Context())
	requireBalance(t, p, id, "10.0")
	deposit(t, p, id, 1) // another event at a position that the old history had too
	requireBalance(t, p, id, "11.0")
	require.Zero(t, testenv.RequireFeed(t, p.Broker, 2))
	requireNotified(t, p, 4) // of what is news, and of nothing again
	requireAgreement(t, p, data)
	p.Stop()
}

// requireNotified waits until so many notifications were sent, and wants no more.
func requireNotified(t *testing.T, p *testenv.Passbook, n int) {
	t.Helper()
	var answer string
	require.Eventually(t, func() bool {
		_, _, answer = call(t, http.MethodGet, p.Notify+"/api/v2/notifications?pageSize=1000", "")
		return strings.Count(answer, `"state":"sent"`) == n && strings.Count(answer, `"state":`) == n
	}, time.Minute, 5*time.Millisecond, "want %d: %s", n, &answer)
}

// A back-up that is taken while money moves agrees with itself wherever it is put.
func TestBackup_UnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := testenv.Start(t, filepath.Join(dir, "data"))
	p.AwaitReady(t.Context())
	load := newTraffic(t, p, openMany(t, p, 10))
	for i := range times(3) {
		bak, other := filepath.Join(dir, fmt.Sprint("bak-", i)), filepath.Join(dir, fmt.Sprint("other-", i))
		mustOperate(t, "backup", "--data", filepath.Join(dir, "data"), bak)
		mustOperate(t, "recover", "--data", other, bak)
		q := testenv.Start(t, other)
		q.AwaitReady(t.Context())
		requireAgreement(t, q, other)
		q.Stop()
	}
	load.end()
	requireAgreement(t, p, filepath.Join(dir, "data"))
}

// What is not in the data folder is told to the operator.
func TestRecover_TellsWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, bak := filepath.Join(dir, "data"), filepath.Join(dir, "bak")
	p := testenv.Start(t, data)
	open(t, p, "Elsewhere", 1)
	p.Stop()
	mustOperate(t, "backup", "--data", data, bak)
	out := mustOperate(t, "recover", "--data", data, "--broker", "kafka://kafka:9092", "--read-db", "mysql://me:secret@db/x", bak)
	require.Contains(t, out, "give PASSBOOK_TOPIC a new name")
	require.Contains(t, out, "passbook restore")
	require.NotContains(t, out, "secret")
}

// A copy in place of the store, without recover, would go on under a history
// that has gone on elsewhere.
func TestBackupIsNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, bak := filepath.Join(dir, "data"), filepath.Join(dir, "bak")
	p := testenv.Start(t, data)
	open(t, p, "Copied", 1)
	p.Stop()
	mustOperate(t, "backup", "--data", data, bak)
	require.NoError(t, os.Rename(bak, filepath.Join(data, "events.db")))
	require.Contains(t, testenv.Refused(t, data), "it is a back-up: put it in place with recover")
}

// A disk that is full leaves one line and no part of a file.
func TestExportAndBackup_NoRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, files := filepath.Join(dir, "data"), filepath.Join(dir, "files")
	require.NoError(t, os.Mkdir(files, 0o700))
	p := testenv.Start(t, data)
	for range 30 {
		open(t, p, strings.Repeat("x", 150), 1)
	}
	p.Stop()
	for _, command := range []string{"export", "backup"} {
		limited := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 8 && exec "$@"`, "sh",
			testenv.Program(t), command, "--data", data, filepath.Join(files, command))
		_, stderr, code := finish(t, limited)
		require.Equal(t, 2, code, stderr)
		requireOneFault(t, stderr)
		left, err := os.ReadDir(files)
		require.NoError(t, err)
		require.Empty(t, left, command)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		testenv.Skip(t, "/dev/full")
	}
	defer func() { require.NoError(t, full.Close()) }()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t), "export", "--data", data)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	require.Error(t, cmd.Run())
	require.Equal(t, 2, cmd.ProcessState.ExitCode())
	requireOneFault(t, stderr.String(), "no space left on device")
}

// A back-up with a byte changed, which SQLite itself does not notice, is refused
// before anything is replaced.
func TestRecover_DamagedEvent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, bak := filepath.Join(dir, "data"), filepath.Join(dir, "bak")
	p := testenv.Start(t, data, "--roles", "command")
	id := open(t, p, "Careful", 10)
	deposit(t, p, id, 5)
	p.Stop()
	mustOperate(t, "backup", "--data", data, bak)
	for change, want := range map[string]string{
		`replace(data, '"5.00"', '"6.00"')`:     "add up",
		`replace(data, '"amount"', '"amoynt"')`: "version 1",
		`replace(data, '}', ']')`:               "version 1",
	} {
		content, err := os.ReadFile(bak)
		require.NoError(t, err)
		spoiled := filepath.Join(dir, "spoiled")
		require.NoError(t, os.WriteFile(spoiled, content, 0o600))
		db, err := sql.Open("sqlite", spoiled)
		require.NoError(t, err)
		_, err = db.Exec(`UPDATE event SET data = CAST(` + strings.Replace(change, "data", "CAST(data AS TEXT)", 1) + ` AS BLOB) WHERE version = 1`)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		refuses(t, []string{"recover", "--data", data, spoiled}, "damaged", want, "position 2")
		require.Contains(t, mustOperate(t, "export", "--data", data), `"head":2`)
	}
}
