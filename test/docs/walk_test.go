package docs_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// step is a command of a guide and what the guide says that it prints.
type step struct{ command, output string }

// marked is a console block behind the mark that says that it is to be run.
var marked = regexp.MustCompile("(?ms)^<!-- walk -->\n```console\n(.*?)^```$")

// steps reads the marked blocks of a guide.
func steps(t *testing.T, guide string) []step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", guide))
	require.NoError(t, err)
	var found []step
	for _, block := range marked.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				found = append(found, step{command: strings.TrimSpace(command)})
				continue
			}
			require.NotEmpty(t, found, "a block of %s begins with output", guide)
			found[len(found)-1].output += line
		}
	}
	require.NotEmpty(t, found, "%s has no marked block", guide)
	return found
}

// shell is one shell for all steps, so that variables stay.
type shell struct {
	in  io.Writer
	out *bufio.Reader
}

const sentinel = "--- end of step ---"

// newShell starts a shell in a folder, with variables beside those of the test.
// What it leaves running in the background ends with the test.
func newShell(t *testing.T, folder string, environ ...string) *shell {
	t.Helper()
	cmd := exec.Command("sh") // ended by its standard input, in the cleanup
	cmd.Dir = folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PASSBOOK_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, environ...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()                                      // the shell may have ended
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it started, if anything is left
		_ = cmd.Wait()                                      // killed or not
	})
	return &shell{in: in, out: bufio.NewReader(out)}
}

func (s *shell) run(t *testing.T, command string) string {
	t.Helper()
	_, err := io.WriteString(s.in, command+"\nprintf '\\n%s\\n' '"+sentinel+"'\n")
	require.NoError(t, err)
	var output strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		require.NoError(t, err)
		if strings.TrimSpace(line) == sentinel {
			return output.String()
		}
		output.WriteString(line)
	}
}

// What differs from run to run: ids and times.
var (
	anID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	aTime  = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)`)
	spaces = regexp.MustCompile(`[\r ]+\n`)
)

func same(text string) string {
	text = spaces.ReplaceAllString(text, "\n")
	return strings.TrimSpace(aTime.ReplaceAllString(anID.ReplaceAllString(text, "ID"), "TIME"))
}

// reads matches commands that show what the read side knows: what was commanded
// is visible there a moment later, and the guides say to ask again.
var reads = regexp.MustCompile(`127\.0\.0\.1:500[12]|accounts (get|list|history|statement)|passbook verify`)

// walk does what a guide says, and wants to see what the guide shows.
func walk(t *testing.T, s *shell, guide string, place *strings.Replacer) {
	t.Helper()
	for _, step := range steps(t, guide) {
		command, want := place.Replace(step.command), same(place.Replace(step.output))
		got := s.run(t, command)
		for began := time.Now(); reads.MatchString(step.command) && same(got) != want && time.Since(began) < time.Minute; {
			got = s.run(t, command)
		}
		require.Equal(t, want, same(got), "%s: $ %s", guide, step.command)
		t.Logf("$ %s\n%s", step.command, got)
	}
}

// TestGuides walks through the guides about the bank, word for word: each with
// a bank, a folder and addresses of its own.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "kcat", "sqlite3"} {
		if _, err := exec.LookPath(tool); err != nil {
			testenv.Skip(t, tool)
		}
	}
	for guide, begins := range map[string]string{
		"README.md":                      start,
		"docs/first-ten-minutes.md":      "",
		"docs/api-by-example.md":         start,
		"docs/embedded-operation.md":     "",
		"docs/from-the-java-tutorial.md": start,
	} {
		t.Run(guide, func(t *testing.T) {
			t.Parallel()
			command, query, notify, broker := testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t)
			place := strings.NewReplacer("127.0.0.1:5000", command, "127.0.0.1:5001", query, "127.0.0.1:5002", notify,
				"127.0.0.1:9092", broker, "https://example.com/", "http://127.0.0.1:9/", "/tmp/", t.TempDir()+"/")
			s := newShell(t, t.TempDir(),
				"PATH="+filepath.Dir(testenv.Program(t))+":"+os.Getenv("PATH"),
				"PASSBOOK_COMMAND_ADDR="+command, "PASSBOOK_QUERY_ADDR="+query, "PASSBOOK_NOTIFY_ADDR="+notify, "PASSBOOK_BROKER=embedded:"+broker,
				"PASSBOOK_COMMAND_URL=http://"+command, "PASSBOOK_QUERY_URL=http://"+query, "PASSBOOK_NOTIFY_URL=http://"+notify)
			if begins != "" {
				s.run(t, place.Replace(begins))
			}
			walk(t, s, guide, place)
		})
	}
}

// start is what a guide's reader has done before.
const start = "passbook serve 2>serve.log & until curl -sf 127.0.0.1:5001/readyz >/dev/null; do sleep 0.1; done"
