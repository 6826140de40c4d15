package archtest_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

func TestLoad_TakesTheModuleOnly(t *testing.T) {
	tree := plant(t, map[string]string{
		".gitignore":                "# what is built\n/bin/\n*.db\n",
		"es/event/event.go":         "package event\n",
		"es/event/testdata/x.go":    "not Go at all",
		"example/go.mod":            "module example\n",
		"example/main.go":           "package main\n",
		".ci/tool.go":               "package tool\n",
		"bin/junk.txt":              "junk",
		"docs/bin/page.md":          "page",
		"some/where/events.db":      "text in a database's name",
		"deploy/logo.png":           "PNG\x00",
		"_scratch/scratch.go":       "package scratch\n",
		"internal/archtest/tree.go": "package archtest\n",
	})

	var files []string
	for _, f := range tree.Files {
		files = append(files, f.Path)
	}
	require.ElementsMatch(t, []string{"es/event/event.go", "internal/archtest/tree.go"}, files)
	require.Contains(t, tree.Texts, "example/main.go")
	require.Contains(t, tree.Texts, "es/event/testdata/x.go")
	require.Contains(t, tree.Texts, "docs/bin/page.md")
	require.NotContains(t, tree.Texts, "bin/junk.txt")
	require.NotContains(t, tree.Texts, "some/where/events.db")
	require.NotContains(t, tree.Texts, "deploy/logo.png")
}

func TestLoad_Refuses(t *testing.T) {
	_, err := archtest.Load(fstest.MapFS{})
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = archtest.Load(fstest.MapFS{"go.mod": {Data: []byte("go 1.26\n")}})
	require.ErrorContains(t, err, "no module line")

	_, err = archtest.Load(fstest.MapFS{
		"go.mod": {Data: []byte("module passbook\n")},
		"x.go":   {Data: []byte("package")},
	})
	require.ErrorContains(t, err, "x.go:1")
}

func TestRoot(t *testing.T) {
	top := t.TempDir()
	deep := filepath.Join(top, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o750))

	_, err := archtest.Root(deep)
	require.ErrorContains(t, err, "no go.mod")

	require.NoError(t, os.WriteFile(filepath.Join(top, "go.mod"), []byte("module m\n"), 0o600))
	root, err := archtest.Root(deep)
	require.NoError(t, err)
	require.Equal(t, top, root)
}
