package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// CheckWords finds words that must not stand in any text file of the project.
func CheckWords(t *Tree, words []string) []Finding {
	var found []Finding
	for name, text := range t.Texts {
		number := 0
		for line := range strings.Lines(text) {
			number++
			for _, w := range words {
				if strings.Contains(line, w) {
					found = append(found, Finding{Path: name, Line: number, Text: fmt.Sprintf("must not name %q", w)})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return found
}

// ForbiddenWords are the hosts of package registries (everyone has a mirror of their own, and the clients know it) and
// paths of the machine that something was written on. They are put together here, so that this file does not hold them.
func ForbiddenWords() []string {
	dotted := func(labels ...string) string { return strings.Join(labels, ".") }
	folder := func(names ...string) string { return "/" + strings.Join(names, "/") + "/" }
	return []string{
		dotted("proxy", "golang", "org"),
		dotted("sum", "golang", "org"),
		dotted("goproxy", "io"),
		dotted("pypi", "org"),
		dotted("pythonhosted", "org"),
		dotted("npmjs", "org"),
		dotted("npmjs", "com"),
		dotted("static", "crates", "io"),
		dotted("index", "crates", "io"),
		dotted("maven", "apache", "org"),
		dotted("maven", "org"),
		dotted("deb", "debian", "org"),
		folder("work", "main"),
		folder("work", "shared"),
		folder("work", ".library"),
		folder("root", "go"),
		folder("root", ".cache"),
		"." + "." + folder("shared"),
	}
}
