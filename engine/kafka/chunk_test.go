package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kbin"
	"pgregory.net/rapid"

	"passbook/es/bus"
)

func messages() *rapid.Generator[bus.Message] {
	return rapid.Custom(func(t *rapid.T) bus.Message {
		text := rapid.StringN(0, 200, -1)
		return bus.Message{
			Key:   text.Draw(t, "key"),
			Value: make([]byte, rapid.IntRange(0, 300_000).Draw(t, "value")),
			Headers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bus.Header {
				return bus.Header{Key: text.Draw(t, "name"), Value: text.Draw(t, "content")}
			}), 0, 20).Draw(t, "headers"),
		}
	})
}

// wireSize is the size of a record in a batch, with lengths, delta of the time
// and delta of the offset as long as they can get.
func wireSize(m bus.Message) int {
	size := 1 + kbin.VarlongLen(1<<62) + kbin.VarintLen(1<<30)
	bytes := func(n int) { size += kbin.VarintLen(int32(n)) + n }
	bytes(len(m.Key))
	bytes(len(m.Value))
	size += kbin.VarintLen(int32(len(m.Headers)))
	for _, h := range m.Headers {
		bytes(len(h.Key))
		bytes(len(h.Value))
	}
	return size + kbin.VarintLen(int32(size))
}

func TestSizeMax_IsNotBelowTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		require.GreaterOrEqual(t, sizeMax(m), wireSize(m))
	})
}

func TestFits_KeepsEachPartitionInOneBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bus.Placed {
			return bus.Placed{Message: messages().Draw(t, "message"), Partition: rapid.Int32Range(0, 5).Draw(t, "partition")}
		}), 1, 60).Draw(t, "records")
		for rest := records; len(rest) > 0; {
			n := fits(rest)
			require.Positive(t, n)
			shares := make(map[int32]int)
			for _, r := range rest[:n] {
				shares[r.Partition] += wireSize(r.Message)
			}
			for _, share := range shares {
				require.LessOrEqual(t, share, batchBytesMax)
			}
			rest = rest[n:]
		}
	})
}

func TestFits_Limits(t *testing.T) {
	small := make([]bus.Placed, chunkRecordsMax+1)
	for i := range small {
		small[i].Partition = int32(i % 100)
	}
	require.Equal(t, chunkRecordsMax, fits(small))

	spread := make([]bus.Placed, 1000)
	for i := range spread {
		spread[i] = bus.Placed{Message: bus.Message{Value: make([]byte, 100<<10)}, Partition: int32(i)}
	}
	require.Equal(t, chunkBytesMax/(100<<10+recordOverhead), fits(spread))

	huge := []bus.Placed{{Message: bus.Message{Value: make([]byte, 2*batchBytesMax)}}, {}}
	require.Equal(t, 1, fits(huge), "a record that is too large goes alone, for the broker to refuse")
}
