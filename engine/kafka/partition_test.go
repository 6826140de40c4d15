package kafka_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

// TestPartition_AgreesWithKafkaClients compares the contract's rule with that of
// a client which partitions as Kafka's own does.
func TestPartition_AgreesWithKafkaClients(t *testing.T) {
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic("any")
	for range 20_000 {
		key := make([]byte, 1+rand.IntN(40))
		for i := range key {
			key[i] = byte(rand.Uint32())
		}
		partitions := 1 + rand.IntN(1000)
		want := theirs.Partition(&kgo.Record{Key: key}, partitions)
		require.Equal(t, want, int(bus.Partition(string(key), int32(partitions))), "%x of %d", key, partitions)
	}
}
