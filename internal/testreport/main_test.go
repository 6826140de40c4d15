package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded is what go test -json writes for a package with a test that passes,
// one that fails and one that is skipped.
const recorded = `{"Action":"start","Package":"passbook/engine/kafka"}
{"Action":"run","Package":"passbook/engine/kafka","Test":"TestGood"}
{"Action":"output","Package":"passbook/engine/kafka","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"passbook/engine/kafka","Test":"TestGood","Output":"    a_test.go:1: chatter\n"}
{"Action":"pass","Package":"passbook/engine/kafka","Test":"TestGood"}
{"Action":"run","Package":"passbook/engine/kafka","Test":"TestSuite_Real"}
{"Action":"output","Package":"passbook/engine/kafka","Test":"TestSuite_Real","Output":"    a_test.go:2: SKIPPED, NOT TESTED: missing: a real kafka: java is missing\n"}
{"Action":"output","Package":"passbook/engine/kafka","Test":"TestSuite_Real","Output":"--- SKIP: TestSuite_Real (0.00s)\n"}
{"Action":"skip","Package":"passbook/engine/kafka","Test":"TestSuite_Real"}
{"Action":"run","Package":"passbook/engine/kafka","Test":"TestOfAFeature"}
{"Action":"output","Package":"passbook/engine/kafka","Test":"TestOfAFeature","Output":"    a_test.go:3: the bus has no groups\n"}
{"Action":"skip","Package":"passbook/engine/kafka","Test":"TestOfAFeature"}
`

const passed = `{"Action":"output","Package":"passbook/engine/kafka","Output":"PASS\n"}
{"Action":"output","Package":"passbook/engine/kafka","Output":"ok  \tpassbook/engine/kafka\t1.2s\n"}
{"Action":"pass","Package":"passbook/engine/kafka"}
`

var suites = []suite{
	{name: "bus", engine: "Kafka", real: true, test: test{"engine/kafka", "TestSuite_Real"}},
	{name: "bus", engine: "kfake", test: test{"engine/kafka", "TestGood"}},
	{name: "bus", engine: "another", test: test{"engine/other", "TestNotInThisRun"}},
}

func read(events string, suites []suite, strict, off bool) (code int, printed string) {
	var out strings.Builder
	code = report(strings.NewReader(events), &out, suites, strict, off)
	return code, out.String()
}

func TestReport_Missing(t *testing.T) {
	const verdict = "ok  \tpassbook/engine/kafka\t1.2s\n"
	const summary = "NOT TESTED: 1 tests: a real kafka: java is missing: in engine/kafka (1)\n" +
		"NOT TESTED: bus on Kafka: TestSuite_Real of engine/kafka was skipped\n"
	code, printed := read(recorded+passed, suites, false, false)
	require.Zero(t, code)
	require.Equal(t, verdict+summary, printed)
	code, printed = read(recorded+passed, suites, true, false)
	require.Equal(t, 1, code)
	require.Equal(t, verdict+summary+"CI=true: what is not tested is a failure\n", printed)
}

// A suite that is not there any more under its name is missing too.
func TestReport_SuiteIsGone(t *testing.T) {
	gone := suite{name: "bus", engine: "Kafka", real: true, test: test{"engine/kafka", "TestFormerName"}}
	code, printed := read(strings.Replace(recorded, "NOT TESTED", "", 1)+passed, []suite{gone}, true, false)
	require.Equal(t, 1, code)
	require.Contains(t, printed, "NOT TESTED: bus on Kafka: TestFormerName of engine/kafka did not run")
}

// Engines that are switched off are no failure, and it is said that they are.
func TestReport_Off(t *testing.T) {
	events := strings.Replace(recorded, "SKIPPED, NOT TESTED: missing: a real kafka: java is missing", "switched off", 1) + passed
	code, printed := read(events, suites, true, true)
	require.Zero(t, code)
	require.Equal(t, "ok  \tpassbook/engine/kafka\t1.2s\nreal engines were switched off: PASSBOOK_TEST_ENGINES=off\n", printed)
}

// What needs no server has to run without servers too.
func TestReport_OffIsForServers(t *testing.T) {
	gone := suite{name: "bus", engine: "kfake", test: test{"engine/kafka", "TestFormerName"}}
	code, printed := read(passed+recorded, []suite{gone}, false, true)
	require.Zero(t, code)
	require.Contains(t, printed, "NOT TESTED: bus on kfake: TestFormerName")
}

// What failed is printed with what it said, once, and so is what did not come to
// an end; what passed is silent.
func TestReport_Failed(t *testing.T) {
	lines := slices.Collect(strings.Lines(recorded))
	lines = append(lines,
		event{Action: "run", Package: "passbook/engine/kafka", Test: "TestBad"}.line(),
		event{Action: "output", Package: "passbook/engine/kafka", Test: "TestBad", Output: "    a_test.go:4: wrong\n"}.line(),
		event{Action: "output", Package: "passbook/engine/kafka", Test: "TestBad", Output: "--- FAIL: TestBad (0.00s)\n"}.line(),
		event{Action: "fail", Package: "passbook/engine/kafka", Test: "TestBad"}.line(),
		event{Action: "output", Package: "passbook/engine/kafka", Test: "TestHangs", Output: "panic: test timed out\n"}.line(),
		event{Action: "output", Package: "passbook/engine/kafka", Output: "FAIL\tpassbook/engine/kafka\t1.2s\n"}.line(),
		event{Action: "fail", Package: "passbook/engine/kafka"}.line(),
	)
	code, printed := read(strings.Join(lines, ""), nil, false, false)
	require.Equal(t, 1, code)
	require.True(t, strings.HasPrefix(printed, "    a_test.go:4: wrong\n--- FAIL: TestBad (0.00s)\n"+
		"panic: test timed out\nFAIL\tpassbook/engine/kafka\t1.2s\n"), printed)
	require.NotContains(t, printed, "chatter")
}

// A package that does not compile fails, and the compiler's words are printed.
func TestReport_DoesNotCompile(t *testing.T) {
	code, printed := read(event{Action: "build-output", Output: "x.go:1: undefined\n"}.line()+
		event{Action: "build-fail"}.line()+
		event{Action: "output", Package: "passbook/es/bus", Output: "FAIL\tpassbook/es/bus [build failed]\n"}.line(), nil, false, false)
	require.Equal(t, 1, code)
	require.Equal(t, "x.go:1: undefined\nFAIL\tpassbook/es/bus [build failed]\n", printed)
}

func TestReport_NoEvents(t *testing.T) {
	code, printed := read("go: no such flag\n", nil, false, false)
	require.Equal(t, 2, code)
	require.Contains(t, printed, "testreport: read the events")
}

func TestParseSuites(t *testing.T) {
	parsed, err := parseSuites(suitesFile)
	require.NoError(t, err)
	require.NotEmpty(t, parsed)
	seen := make(map[test]bool)
	for _, s := range parsed {
		require.False(t, seen[s.test], "%v is there twice", s.test)
		seen[s.test] = true
	}
	_, err = parseSuites("bus  Kafka  almost real  engine/kafka  TestSuite_Real\n")
	require.ErrorContains(t, err, "almost real")
}

func (e event) line() string {
	encoded, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(encoded) + "\n"
}
