package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const module = "passbook/"

// event is what go test -json writes: see "go doc cmd/test2json".
type event struct {
	Action  string `json:"Action"`
	Package string `json:"Package"`
	Test    string `json:"Test"`
	Output  string `json:"Output"`
}

// run is what is known of a run of tests.
type run struct {
	out    io.Writer
	failed bool

	verdicts map[test]string           // pass, fail or skip
	packages map[string]bool           // those whose tests were run
	untested map[string]map[string]int // why, package, number of tests
	outputs  map[test][]byte           // of tests that are not over
}

// test is one test, or, without a name, a package as a whole.
type test struct{ pkg, name string }

func newRun(out io.Writer) *run {
	return &run{
		out: out, verdicts: make(map[test]string), packages: make(map[string]bool),
		untested: make(map[string]map[string]int), outputs: make(map[test][]byte),
	}
}

// follow reads events to their end.
func (r *run) follow(events io.Reader) error {
	for decoder := json.NewDecoder(events); ; {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the events of go test -json: %w", err)
		}
		r.take(e)
	}
}

func (r *run) take(e event) {
	is := test{strings.TrimPrefix(e.Package, module), e.Test}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "build-fail":
		r.failed = true
	case "run":
		r.packages[is.pkg] = true
	case "output":
		r.hear(is, e.Output)
	case "pass", "fail", "skip":
		r.end(is, e.Action)
	}
}

// hear keeps what a test says until it is known whether that matters. A
// package's verdict is printed, behind what failed in it.
func (r *run) hear(is test, output string) {
	switch {
	case strings.HasPrefix(output, "=== "): // a test began, paused, went on
	case is.name == "" && isVerdict(output):
		if strings.HasPrefix(output, "FAIL") {
			r.failures(is.pkg)
		}
		r.print(output)
	default:
		r.outputs[is] = append(r.outputs[is], output...)
	}
}

// isVerdict knows the one line that a package ends with.
func isVerdict(output string) bool {
	return strings.HasPrefix(output, "ok  \t") || strings.HasPrefix(output, "FAIL\t") || strings.HasPrefix(output, "?   \t")
}

// end forgets what a test said that passed, and prints what one said that
// failed.
func (r *run) end(is test, verdict string) {
	r.verdicts[is] = verdict
	said := string(r.outputs[is])
	delete(r.outputs, is)
	switch verdict {
	case "fail":
		r.failed = true
		r.print(said)
	case "skip":
		r.note(is, said)
	}
}

// failures prints what a package that failed has not printed yet: its own words,
// those of tests that a panic or the time limit left without an end.
func (r *run) failures(pkg string) {
	for _, is := range slices.SortedFunc(maps.Keys(r.outputs), func(a, b test) int { return strings.Compare(a.name, b.name) }) {
		if is.pkg == pkg {
			r.print(string(r.outputs[is]))
			delete(r.outputs, is)
		}
	}
}

// note remembers a test that was skipped because something is missing here: it
// says so with the words NOT TESTED. Others lack what their technology lacks.
func (r *run) note(is test, output string) {
	_, why, found := strings.Cut(output, "NOT TESTED")
	if !found {
		return
	}
	why, _, _ = strings.Cut(why, "--- SKIP:") // the verdict's own line comes behind
	why = strings.Join(strings.Fields(strings.TrimPrefix(why, ":")), " ")
	why = strings.TrimPrefix(why, "missing: ")
	if r.untested[why] == nil {
		r.untested[why] = make(map[string]int)
	}
	r.untested[why][is.pkg]++
}

func (r *run) print(text string) { _, _ = io.WriteString(r.out, text) } // there is nobody left to tell
