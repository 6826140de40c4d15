// Package testenv gives tests the real things that they run against: the
// program itself as a process of its own, and real engines. A test says what it
// needs; an address comes out, and a process that was started for the test
// alone is ended with it.
//
//	testenv.go    skips
//	addr.go       free addresses
//	passbook.go   the program
//	engines.go    MongoDB, Kafka and MySQL that tests share
//	databases.go  databases of a test's own on them
//	nodes.go      engines of a test's own, whose processes it may kill
//	brokers.go    … of Kafka; members.go: of MongoDB
//	feed.go       the feed, read by a client that knows nothing of passbook
//	race.go       is this the race detector's build? norace.go: no
package testenv

import (
	"os"
	"path/filepath"
	"runtime"
)

// CI tells whether a skip is a failure: where CI=true, everything that a test
// needs has to be there.
func CI() bool { return os.Getenv("CI") == "true" }

// Skip skips the test because something is missing on this machine, or fails it
// where nothing may be missing. A case of a suite that can not skip fails: the
// test around it asks first.
func Skip(t TB, missing string) {
	t.Helper()
	if CI() {
		fatalf(t, "missing: %s (CI=true: a skip is a failure)", missing)
	}
	skip(t, "SKIPPED, NOT TESTED: missing: "+missing)
}

// skip ends the test. What is missing says NOT TESTED: internal/testreport
// counts that.
func skip(t TB, why string) {
	t.Helper()
	if skipper, ok := t.(interface {
		Skipf(format string, args ...any)
	}); ok {
		skipper.Skipf("%s", why)
	}
	fatalf(t, "%s", why)
}

func fatalf(t TB, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	t.FailNow()
}

// root is the module's folder.
func root(t TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		fatalf(t, "the place of the sources is unknown")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Race tells whether the test runs under the race detector, which makes it some
// ten times as long: what only differs by its number of repetitions may do fewer.
func Race() bool { return raceEnabled }
