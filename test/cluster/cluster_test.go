package cluster_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"passbook/internal/testenv"
)

var (
	commands = flag.Int("commands", 2000, "how many commands are acknowledged in each scenario with kills, at least")
	accounts = flag.Int("accounts", 1000, "how many accounts there are, the hot one included")
	blink    = flag.Duration("blink", 500*time.Millisecond, "how long each fault of the network lasts")
	// Faster, and two cores have nothing left for an engine that is to come back.
	pace   = flag.Int("pace", 100, "how many commands are begun in a second, 0: as many as go")
	outage = flag.Duration("outage", 8*time.Second, "how long an engine is away, before it is started again")
	long   = flag.Bool("long", false, "also what takes long, and the figures of an outage are held against their bounds")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the load")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testenv.Race() { // ten times as slow
		*commands, *accounts, *pace = min(*commands, 500), min(*accounts, 100), 50
	}
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// TestCluster breaks one thing after the other. The scenarios share the engines,
// and have databases and topics of their own.
func TestCluster(t *testing.T) {
	e := startEngines(t)
	t.Logf("seed %d", *seed)
	for _, scenario := range []struct {
		name string
		run  func(*testing.T, *engines)
	}{
		{"Kills", testKills}, {"Network", testNetwork}, {"LostConnections", testLostConnections},
		{"BrokersAway", testBrokersAway}, {"MySQLAway", testMySQLAway}, {"NoMajority", testNoMajority},
		{"Partitions", testPartitions}, {"Topic", testTopic}, {"Pauses", testPauses},
	} {
		if !t.Run(scenario.name, func(t *testing.T) { scenario.run(t, e) }) {
			e.heal(t)
		}
	}
}
