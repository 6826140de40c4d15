package archtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

func TestCheckWords(t *testing.T) {
	tree := plant(t, map[string]string{
		"docs/page.md":        "fine\nsee host.example for it\n",
		"es/p/testdata/x.txt": "from /srv/secret/x\n",
		"es/p/x.go":           "package p\n",
	})
	require.Equal(t, []string{
		`docs/page.md:2: must not name "host.example"`,
		`es/p/testdata/x.txt:1: must not name "/srv/secret/"`,
	}, texts(archtest.CheckWords(tree, []string{"host.example", "/srv/secret/"})))
}

// TestForbiddenWords plants each word, so that none of them is put together wrongly and empty ones are not in the list.
func TestForbiddenWords(t *testing.T) {
	for _, w := range archtest.ForbiddenWords() {
		require.Greater(t, len(w), 5)
		tree := plant(t, map[string]string{"scripts/fetch": "get it from " + w + "x\n"})
		require.NotEmpty(t, archtest.CheckWords(tree, archtest.ForbiddenWords()), w)
	}
	require.Contains(t, archtest.ForbiddenWords(), "pypi"+"."+"org")
}
