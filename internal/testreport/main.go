// Command testreport stands behind "go test -json": events flow in on standard
// input, what go test would print flows out on standard output, and behind it a
// summary of what was NOT TESTED. Where CI=true that is a failure.
//
//	main.go     exit codes, the summary
//	events.go   events of go test: what is printed, what is remembered of them
//	suites.go   suites.txt: which test is which suite on which engine
//
// Exit codes: 0; 1 when a test failed, or when CI=true and something was not
// tested; 2 when the events cannot be read.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	suites, err := parseSuites(suitesFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport: "+err.Error())
		os.Exit(2)
	}
	strict, off := os.Getenv("CI") == "true", os.Getenv("PASSBOOK_TEST_ENGINES") == "off"
	os.Exit(report(os.Stdin, os.Stdout, suites, strict, off))
}

// report prints events and summary, and returns the exit code. Real engines that
// are switched off are not wanted.
func report(events io.Reader, out io.Writer, suites []suite, strict, off bool) int {
	run := newRun(out)
	if err := run.follow(events); err != nil {
		_, _ = fmt.Fprintln(out, "testreport: "+err.Error()) // there is nobody left to tell
		return 2
	}
	untested := run.summary()
	missing := missingSuites(run, suites, off)
	for _, lines := range [][]string{untested, missing} {
		for _, line := range lines {
			_, _ = fmt.Fprintln(out, line)
		}
	}
	if off {
		_, _ = fmt.Fprintln(out, "real engines were switched off: PASSBOOK_TEST_ENGINES=off")
	}
	switch failed := strict && len(untested)+len(missing) > 0; {
	case run.failed:
		return 1
	case failed:
		_, _ = fmt.Fprintln(out, "CI=true: what is not tested is a failure")
		return 1
	}
	return 0
}

// summary has a line for each thing that is missing on this machine: what, and
// how many tests of which packages want it.
func (r *run) summary() []string {
	var lines []string
	for why, packages := range r.untested {
		var tests []string
		total := 0
		for name, count := range packages {
			tests = append(tests, fmt.Sprintf("%s (%d)", strings.TrimPrefix(name, module), count))
			total += count
		}
		slices.Sort(tests)
		lines = append(lines, fmt.Sprintf("NOT TESTED: %d tests: %s: in %s", total, why, strings.Join(tests, ", ")))
	}
	slices.Sort(lines)
	return lines
}
