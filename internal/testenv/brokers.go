package testenv

import "testing"

// Brokers are three Kafka brokers of one test, which may kill and stop them.
type Brokers struct{ *nodes }

// StartBrokers starts three brokers, and stops them with the test. They are
// missing (see Skip) where PASSBOOK_TEST_ENGINES=start is not set.
func StartBrokers(t testing.TB) *Brokers {
	t.Helper()
	return &Brokers{startNodes(t, "kafka", 3)}
}
