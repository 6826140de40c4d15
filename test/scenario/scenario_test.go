package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"passbook/internal/testenv"
)

var update = flag.Bool("update", false, "write what scripts compare with anew")

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// TestScenarios runs every script twice. What is real is real on all sides:
// MongoDB, Kafka and MySQL.
func TestScenarios(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { runScripts(t, embedded) })
	t.Run("real", func(t *testing.T) {
		testenv.MongoDB(t)
		testenv.Kafka(t)
		testenv.MySQL(t)
		runScripts(t, onServers)
	})
}

func runScripts(t *testing.T, build builder) {
	t.Helper()
	program := testenv.Program(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			// testscript promises that its T is one.
			s := &story{t: env.T().(testing.TB), build: build, work: env.WorkDir}
			env.Values[storyKey{}] = s
			env.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Defer(s.end)
			s.visit("home", env.Setenv)
			return nil
		},
		Cmds: commands(),
	})
}
