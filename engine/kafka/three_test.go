package kafka_test

import (
	"testing"

	"passbook/engine/kafka"
	"passbook/internal/testenv"
)

// TestRealThree is what brokers do to each other: three of the test's own.
func TestRealThree(t *testing.T) {
	t.Parallel()
	brokers := testenv.StartBrokers(t).Addrs
	t.Run("WrongSettings", func(t *testing.T) {
		for _, test := range wrongSettings() {
			t.Run(test.name, func(t *testing.T) { testWrongSettings(t, brokers, test) })
		}
	})
	t.Run("Creates", func(t *testing.T) { testCreates(t, brokers) })
	t.Run("TopicRecreated", func(t *testing.T) { testTopicRecreated(t, brokers, kafka.Classic) })
	t.Run("PartitionsAdded", func(t *testing.T) { testPartitionsAdded(t, brokers) })
	t.Run("Group", func(t *testing.T) { testGroup(t, brokers, kafka.Classic) })
}
