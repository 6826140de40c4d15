package archtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

// The rules, held against the project itself. That each can fail is proved beside it, on planted source.

func TestProject_Imports(t *testing.T) {
	requireNone(t, archtest.CheckImports(project(t), archtest.Rooms()))
}

func TestProject_PackageComments(t *testing.T) {
	requireNone(t, archtest.CheckPackageComments(project(t)))
}

func TestProject_Docs(t *testing.T) {
	requireNone(t, archtest.CheckDocs(project(t), "es", "engine", "contract", "bank"))
}

func TestProject_Sizes(t *testing.T) {
	// Add a line only with a reason; take it out, or lower its number, when the code has become smaller.
	exceptions := map[string]archtest.Exception{}
	requireNone(t, archtest.CheckSizes(project(t), archtest.Limits{FileLines: 450, FunctionLines: 70}, exceptions))
}

func TestProject_Words(t *testing.T) {
	requireNone(t, archtest.CheckWords(project(t), archtest.ForbiddenWords()))
}

func TestProject_Sleep(t *testing.T) {
	// Path of a test file, and why it cannot wait for a signal.
	allowed := map[string]string{}
	requireNone(t, archtest.CheckSleep(project(t), archtest.Rooms(), allowed, "es", "engine", "bank"))
}

func TestProject_Init(t *testing.T) {
	requireNone(t, archtest.CheckInit(project(t)))
}

func TestProject_Panic(t *testing.T) {
	requireNone(t, archtest.CheckPanic(project(t)))
}

func TestProject_Dependencies(t *testing.T) {
	requireNone(t, archtest.CheckDependencies(project(t), "internal/archtest/dependencies.txt"))
}

// TestProject_IsWhole keeps the rules from passing because nothing was read.
func TestProject_IsWhole(t *testing.T) {
	tree := project(t)
	require.Equal(t, "passbook", tree.Module)
	for _, name := range []string{"go.mod", "Makefile", "internal/archtest/project_test.go"} {
		require.NotEmpty(t, tree.Texts[name], "%s was not read", name)
	}
	tops := map[string]bool{}
	for _, f := range tree.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		tops[top] = true
	}
	for _, top := range []string{"es", "engine", "contract", "bank", "cmd", "internal"} {
		require.True(t, tops[top], "no Go file was read below %s", top)
	}
}

func project(t *testing.T) *archtest.Tree {
	t.Helper()
	wd, err := os.Getwd()
	require.NoError(t, err)
	root, err := archtest.Root(wd)
	require.NoError(t, err)
	tree, err := archtest.Load(os.DirFS(root))
	require.NoError(t, err)
	return tree
}

func requireNone(t *testing.T, found []archtest.Finding) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}
