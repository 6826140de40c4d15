package archtest_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

// plant makes a module of the given files, by path.
func plant(t *testing.T, files map[string]string) *archtest.Tree {
	t.Helper()
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module passbook\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := archtest.Load(fsys)
	require.NoError(t, err)
	return tree
}

// importing is a Go file with the given imports.
func importing(paths ...string) string {
	text := "package p\n"
	for _, p := range paths {
		text += "\nimport _ \"" + p + "\""
	}
	return text + "\n"
}

// texts is what the findings say, with their places.
func texts(found []archtest.Finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, f.String())
	}
	return all
}
