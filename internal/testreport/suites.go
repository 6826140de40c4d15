package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed suites.txt
var suitesFile string

// suite is a line of suites.txt.
type suite struct {
	name, engine string
	real         bool
	test         test
}

var columns = regexp.MustCompile(`\s{2,}`)

// parseSuites reads suites.txt: five columns, two spaces or more between them.
func parseSuites(text string) ([]suite, error) {
	var suites []suite
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := columns.Split(line, -1)
		if len(cells) != 5 || cells[2] != "real" && cells[2] != "embedded" {
			return nil, fmt.Errorf("suites.txt: %q: want suite, engine, real or embedded, room, test", line)
		}
		suites = append(suites, suite{name: cells[0], engine: cells[1], real: cells[2] == "real", test: test{cells[3], cells[4]}})
	}
	return suites, nil
}

// missingSuites has a line for each suite that did not run in a room whose tests
// ran. One that failed is not missing.
func missingSuites(r *run, suites []suite, off bool) []string {
	var lines []string
	for _, s := range suites {
		if !r.packages[s.test.pkg] || s.real && off {
			continue
		}
		how := "did not run: it does not exist, or did not come to its turn"
		switch r.verdicts[s.test] {
		case "pass", "fail":
			continue
		case "skip":
			how = "was skipped"
		}
		lines = append(lines, fmt.Sprintf("NOT TESTED: %s on %s: %s of %s %s", s.name, s.engine, s.test.name, s.test.pkg, how))
	}
	return lines
}
