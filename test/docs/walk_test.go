package docs_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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

func newShell(t *testing.T) *shell {
	t.Helper()
	cmd := exec.Command("sh") // ended by its standard input, in the cleanup
	cmd.Dir = t.TempDir()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
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
	aTime  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00`)
	spaces = regexp.MustCompile(`[\r ]+\n`)
)

func same(text string) string {
	text = spaces.ReplaceAllString(text, "\n")
	return strings.TrimSpace(aTime.ReplaceAllString(anID.ReplaceAllString(text, "ID"), "TIME"))
}

// TestReadme walks through the README, word for word.
func TestReadme(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		testenv.Skip(t, "curl")
	}
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	place := strings.NewReplacer(
		"127.0.0.1:5000", strings.TrimPrefix(p.Command, "http://"),
		"127.0.0.1:5001", strings.TrimPrefix(p.Query, "http://"),
		"/tmp/", t.TempDir()+"/")
	s := newShell(t)
	for _, step := range steps(t, "README.md") {
		command, want := place.Replace(step.command), same(step.output)
		got := s.run(t, command)
		// What was commanded is visible a moment later: the page says to ask again.
		for began := time.Now(); strings.Contains(step.command, "127.0.0.1:5001") && same(got) != want && time.Since(began) < time.Minute; {
			got = s.run(t, command)
		}
		require.Equal(t, want, same(got), "$ %s", step.command)
		t.Logf("$ %s\n%s", step.command, got)
	}
}
