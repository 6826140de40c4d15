package archtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

func TestCheckDependencies(t *testing.T) {
	const list = "internal/archtest/dependencies.txt"
	tree := plant(t, map[string]string{
		"go.mod": "module passbook // here\n\ngo 1.26\n\nrequire one.example/alone v1.0.0\n\n" +
			"require (\n\ta.example/mod v1.0.0 // indirect\n\ta.example/mod/sub v1.0.0\n\tb.example/x v1.0.0\n" +
			"\tc.example/y v1.0.0 // indirect\n)\n",
		"es/p/x.go":      importing("context", "passbook/es/event", "a.example/mod/sub/pkg", "one.example/alone"),
		"es/p/x_test.go": importing("b.example/x", "a.example/modern", "a.example/mod"),
		list: "# module, reason\n\na.example/mod the reason\na.example/mod/sub\n" +
			"a.example/mod the reason\nc.example/y not imported\none.example/alone the reason\n",
	})
	require.ElementsMatch(t, []string{
		list + ":4: a.example/mod/sub has no reason",
		list + ":5: a.example/mod stands here twice",
		"es/p/x_test.go:4: a.example/modern belongs to no module of go.mod",
		list + ": does not list b.example/x, which es/p/x_test.go imports: is it needed? then say why",
		list + ": lists c.example/y, which nothing imports",
	}, texts(archtest.CheckDependencies(tree, list)))
}
