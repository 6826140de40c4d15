package testenv

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Variables with the addresses of real engines, and the one that says what is
// done about those that are not named: with PASSBOOK_TEST_ENGINES=start this
// package starts them; with off no test uses a real engine, named or not, which
// is nothing that is missing; without it they are missing.
const (
	mongodbVariable = "PASSBOOK_TEST_MONGODB"
	kafkaVariable   = "PASSBOOK_TEST_KAFKA"
	mysqlVariable   = "PASSBOOK_TEST_MYSQL"
	enginesVariable = "PASSBOOK_TEST_ENGINES"

	startEngines = "start"
	offEngines   = "off"
)

// TB is what an engine is asked for with: a *testing.T, or what the suites of
// the contracts hand to their cases.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Cleanup(func())
}

// MongoDB returns the URL of a MongoDB replica set, without a database: see
// MongoDatabase. It is named in PASSBOOK_TEST_MONGODB; else, with
// PASSBOOK_TEST_ENGINES=start, scripts/engines starts one, which goes on
// running for others; else it is missing: see Skip. With
// PASSBOOK_TEST_ENGINES=off the test is skipped, which is no failure anywhere.
func MongoDB(t TB) string {
	t.Helper()
	return engine(t, "mongodb", mongodbVariable)
}

// Kafka returns the addresses of brokers of one Kafka cluster, host:port; see
// MongoDB for where they come from. The variable holds them separated by commas.
func Kafka(t TB) []string {
	t.Helper()
	return strings.Split(engine(t, "kafka", kafkaVariable), ",")
}

// MySQL returns the URL of a MySQL server, mysql://user:password@host:port/,
// whose user may make databases; a database that it may name is not for tests:
// see MySQLDatabase. See MongoDB for where the server comes from.
func MySQL(t TB) string {
	t.Helper()
	return engine(t, "mysql", mysqlVariable)
}

// Name returns a name for a database or a topic that nobody else has: each call
// another one, of lower-case letters, digits and underscores, at most 60 bytes,
// beginning with the test's. To remove what has it is for the caller.
func Name(t testing.TB) string {
	t.Helper()
	readable := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, t.Name())
	const readableMax = 33
	return readable[:min(len(readable), readableMax)] + "_" + strings.ToLower(rand.Text())
}

// engine returns what the variable of an engine holds, or is to hold.
func engine(t TB, name, variable string) string {
	t.Helper()
	mode := os.Getenv(enginesVariable)
	if mode == offEngines {
		skip(t, "real engines are switched off: "+enginesVariable+"="+offEngines)
	}
	if address := os.Getenv(variable); address != "" {
		return address
	}
	if mode != startEngines {
		Skip(t, fmt.Sprintf("a real %s: use make test, or set %s to one (see scripts/engines), or %s=%s",
			name, variable, enginesVariable, startEngines))
	}
	address, err := started.address(root(t), name, variable)
	if errors.Is(err, errNotHere) {
		Skip(t, err.Error())
	}
	if err != nil {
		fatalf(t, "%v", err)
	}
	return address
}

// errNotHere: this machine cannot have the engine.
var errNotHere = errors.New("this machine cannot run the engine")

// starter starts each engine once in a test binary. Test binaries share them:
// the script leaves alone what runs, and tells where it is.
type starter struct {
	mu       sync.Mutex
	outcomes map[string]outcome
}

type outcome struct {
	address string
	err     error
}

var started = starter{outcomes: make(map[string]outcome)}

func (s *starter) address(root, name, variable string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.outcomes[name]; ok {
		return known.address, known.err
	}
	address, err := start(root, name, variable)
	s.outcomes[name] = outcome{address, err}
	return address, err
}

// start has the script start an engine, and reads its address.
func start(root, name, variable string) (string, error) {
	if said, err := runScript(root, "start", "--nosync", name); err != nil {
		if exitCode(err) == notHere {
			return "", fmt.Errorf("%w: %s", errNotHere, said)
		}
		return "", fmt.Errorf("start %s: %w: %s", name, err, said)
	}
	listed, err := runScript(root, "env")
	if err != nil {
		return "", fmt.Errorf("start %s: %w: %s", name, err, listed)
	}
	for line := range strings.Lines(listed) {
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), variable+"="); ok {
			return address, nil
		}
	}
	return "", fmt.Errorf("scripts/engines env does not name %s: %s", variable, listed)
}

// exitCode is that of a program that failed, -1 of one that did not run.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}
