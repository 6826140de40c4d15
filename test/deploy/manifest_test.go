package deploy_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// top is the repository, deployment the folder that is tested.
var (
	top        = filepath.Join("..", "..")
	deployment = filepath.Join(top, "deploy")
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Cleanup()
	if manifest.folder != "" {
		_ = os.RemoveAll(manifest.folder) // a folder of the system's own for such things
	}
	os.Exit(code)
}

// manifest is the program in the folder of that name, built once.
var manifest struct {
	once           sync.Once
	folder         string
	missing, wrong error
}

func manifestProgram(t *testing.T) string {
	t.Helper()
	manifest.once.Do(func() {
		if manifest.folder, manifest.wrong = os.MkdirTemp("", "passbook-manifest-"); manifest.wrong != nil {
			return
		}
		download := exec.Command("go", "mod", "download")
		download.Dir = "manifest"
		if said, err := download.CombinedOutput(); err != nil {
			manifest.missing = errors.New("modules of test/deploy/manifest: " + string(said))
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(manifest.folder, "manifest"), ".")
		build.Dir = "manifest"
		if said, err := build.CombinedOutput(); err != nil {
			manifest.wrong = errors.New(string(said))
		}
	})
	require.NoError(t, manifest.wrong)
	if manifest.missing != nil {
		testenv.Skip(t, manifest.missing.Error())
	}
	return filepath.Join(manifest.folder, "manifest")
}

// noSchemas is the program's exit code where schemas cannot be fetched.
const noSchemas = 3

// tryManifest reads files into a value, or returns what is wrong with them.
func tryManifest(t *testing.T, into any, args ...string) error {
	t.Helper()
	command := exec.Command(manifestProgram(t), args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PASSBOOK_") && !strings.HasPrefix(entry, "COMPOSE_") {
			command.Env = append(command.Env, entry)
		}
	}
	output, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if exit.ExitCode() == noSchemas {
			testenv.Skip(t, string(exit.Stderr))
		}
		return errors.New(string(exit.Stderr))
	}
	require.NoError(t, err)
	return json.Unmarshal(output, into)
}

func readManifest(t *testing.T, into any, args ...string) {
	t.Helper()
	require.NoError(t, tryManifest(t, into, args...))
}

// The program is a module of its own, which "go vet ./..." at the top passes over.
func TestManifest_Vet(t *testing.T) {
	t.Parallel()
	manifestProgram(t)
	vet := exec.Command("go", "vet", "./...")
	vet.Dir = "manifest"
	said, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// copyTo copies a folder, so that a test may change what is in it.
func copyTo(t *testing.T, folder string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(folder)))
	return to
}

// replaceIn changes a file, which has to hold what is replaced.
func replaceIn(t *testing.T, path, old, now string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(content), old, now)), 0o600))
}
