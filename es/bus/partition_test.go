package bus_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/bus"
)

// The hashes are those that Kafka gives for these keys; the partition is the
// hash without its sign bit, modulo the count.
func TestPartition_KnownHashes(t *testing.T) {
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
		"":    275646681,
	} {
		for _, partitions := range []int32{1, 2, 3, 6, 12, 100, 1 << 30} {
			require.Equal(t, (hash&0x7fffffff)%partitions, bus.Partition(key, partitions), "%q of %d", key, partitions)
		}
	}
}

func TestPartition_Range(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOf(rapid.Byte()).Draw(t, "key"))
		partitions := rapid.Int32Range(1, 1<<31-1).Draw(t, "partitions")
		p := bus.Partition(key, partitions)
		require.GreaterOrEqual(t, p, int32(0))
		require.Less(t, p, partitions)
		require.Equal(t, p, bus.Partition(key, partitions))
	})
}
