package testenv_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

var engines = map[string]struct {
	variable string
	address  func(testenv.TB) string
}{
	"mongodb": {"PASSBOOK_TEST_MONGODB", testenv.MongoDB},
	"kafka":   {"PASSBOOK_TEST_KAFKA", func(t testenv.TB) string { return strings.Join(testenv.Kafka(t), ",") }},
	"mysql":   {"PASSBOOK_TEST_MYSQL", testenv.MySQL},
}

func TestEngines_Named(t *testing.T) {
	for name, engine := range engines {
		var got string // a skip would look like a success
		t.Run(name, func(t *testing.T) {
			t.Setenv("PASSBOOK_TEST_ENGINES", "")
			t.Setenv(engine.variable, "a:1,b:2")
			got = engine.address(t)
		})
		require.Equal(t, "a:1,b:2", got, name)
	}
}

// verdict is a test that can be seen to fail or to be skipped.
type verdict struct {
	*testing.T
	failed, skipped string
}

func (v *verdict) Errorf(format string, args ...any) { v.failed = fmt.Sprintf(format, args...) }
func (v *verdict) FailNow()                          { runtime.Goexit() }
func (v *verdict) Skipf(format string, args ...any) {
	v.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// judge asks for an engine as a test of its own would.
func judge(t *testing.T, ask func(testenv.TB) string) *verdict {
	t.Helper()
	v := &verdict{T: t}
	over := make(chan struct{})
	go func() {
		defer close(over)
		ask(v)
	}()
	<-over
	return v
}

// Without an engine a test is skipped, and fails in CI; where engines are
// switched off it is skipped in CI too, and an engine that is named is left alone.
func TestEngines_Missing(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PASSBOOK_TEST_ENGINES", "")
			t.Setenv(engine.variable, "")
			t.Setenv("CI", "")
			v := judge(t, engine.address)
			require.Empty(t, v.failed)
			require.Contains(t, v.skipped, "NOT TESTED: missing: a real "+name)
			t.Setenv("CI", "true")
			v = judge(t, engine.address)
			require.Contains(t, v.failed, "missing: a real "+name)
			require.Empty(t, v.skipped)
			t.Setenv("PASSBOOK_TEST_ENGINES", "off")
			t.Setenv(engine.variable, "a:1,b:2")
			v = judge(t, engine.address)
			require.Empty(t, v.failed)
			require.Contains(t, v.skipped, "switched off")
			require.NotContains(t, v.skipped, "NOT TESTED")
		})
	}
}

// TestEngines_Started is for machines where PASSBOOK_TEST_ENGINES=start has been
// asked for: what is started listens, and is the same for whoever asks next.
func TestEngines_Started(t *testing.T) {
	if os.Getenv("PASSBOOK_TEST_ENGINES") != "start" {
		t.Skip("nothing is to be started: PASSBOOK_TEST_ENGINES=start is not set")
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Setenv(engine.variable, "")
			address := engine.address(t)
			require.Equal(t, address, engine.address(t))
			if location, err := url.Parse(address); err == nil && location.Host != "" {
				address = location.Host
			}
			for node := range strings.SplitSeq(address, ",") {
				connection, err := net.Dial("tcp", node)
				require.NoError(t, err)
				require.NoError(t, connection.Close())
			}
		})
	}
}

func TestName(t *testing.T) {
	t.Run("With Capitals, ümlauts/and a very long name that no database would ever take", func(t *testing.T) {
		fit := regexp.MustCompile(`^testname_with_capitals[a-z0-9_]+$`)
		first, second := testenv.Name(t), testenv.Name(t)
		require.NotEqual(t, first, second)
		for _, name := range []string{first, second} {
			require.Regexp(t, fit, name)
			require.LessOrEqual(t, len(name), 60)
		}
	})
}

// script runs scripts/engines and returns its exit code and what it said.
func script(t *testing.T, environ []string, args ...string) (code int, said string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "scripts", "engines"))
	require.NoError(t, err)
	command := exec.Command(path, args...)
	command.Env = environ
	output, err := command.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// TestScript_NotHere: on a machine without Java, Python, apt or containers it
// says what is missing, and ends with a code of its own.
func TestScript_NotHere(t *testing.T) {
	t.Parallel()
	tools := t.TempDir()
	for _, tool := range []string{"bash", "dirname", "mkdir", "chmod", "id", "uname", "cat", "cut", "sed"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			testenv.Skip(t, tool)
		}
		require.NoError(t, os.Symlink(path, filepath.Join(tools, tool)))
	}
	environ := []string{"PATH=" + tools, "HOME=" + t.TempDir()}
	for name := range engines {
		code, said := script(t, environ, "start", "--folder", filepath.Join(t.TempDir(), "data"), name)
		require.Equal(t, 3, code, said)
		require.Contains(t, said, "NOT POSSIBLE HERE: "+name)
		require.Contains(t, said, "docker or podman")
	}
}

func TestScript_WrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"restart"}, {"start", "postgresql"}, {"start", "--nodes", "2"}} {
		code, said := script(t, os.Environ(), args...)
		require.Equal(t, 2, code, "%v: %s", args, said)
		require.NotEmpty(t, said)
	}
}

func TestScript_NothingStarted(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "none")
	code, said := script(t, os.Environ(), "stop", "--folder", folder)
	require.Zero(t, code, said)
	code, said = script(t, os.Environ(), "env", "--folder", folder)
	require.Equal(t, 1, code, said)
	require.NoDirExists(t, folder)
}

// TestScript_Ports: an engine keeps its ports for as long as its folder is there,
// whether it listens on them or not.
func TestScript_Ports(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Abs(filepath.Join("..", "..", "scripts", "engines.d", "process.sh"))
	require.NoError(t, err)
	folder := t.TempDir()
	choose := func(engine string, n int) []string {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, engine), 0o700))
		command := exec.CommandContext(t.Context(), "bash", "-euc", `. "$1"; cache=$2 port_count=12; choose_ports "$2/$3" "$4"`,
			"-", scripts, folder, engine, strconv.Itoa(n))
		said, err := command.CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Len(t, strings.Fields(string(said)), n)
		return strings.Fields(string(said))
	}
	disjoint := func(a, b []string) {
		for _, port := range a {
			require.NotContains(t, b, port)
		}
	}
	first, second := choose("first", 4), choose("second", 4)
	disjoint(first, second)
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "first")))
	disjoint(second, choose("third", 6)) // there are not so many but with those of the first
}
