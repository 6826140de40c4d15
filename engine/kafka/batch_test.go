package kafka

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"passbook/es/bus"
)

// TestBatch_RoundTrip has the client's own reader, which checks lengths and
// checksum, find in the batches of a chunk what was put there.
func TestBatch_RoundTrip(t *testing.T) {
	compressor, err := kgo.DefaultCompressor(kgo.SnappyCompression())
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		chunk := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bus.Placed {
			m := messages().Draw(t, "message")
			m.Time = time.UnixMilli(rapid.Int64Range(0, 9_000_000_000_000).Draw(t, "ms")).UTC()
			return bus.Placed{Message: m, Partition: rapid.Int32Range(0, 2).Draw(t, "partition")}
		}), 1, 12).Draw(t, "chunk")
		first := rapid.Int32Min(0).Draw(t, "sequence")
		packer := &packer{compressor: compressor}
		seen := 0
		for _, b := range batches(chunk) {
			b.encode(chunk, identity{id: 7, epoch: 3}, first, packer)
			requireHeader(t, b, first)
			found, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Partition: b.partition},
				&kmsg.FetchResponseTopicPartition{Partition: b.partition, RecordBatches: b.bytes}, kgo.DefaultDecompressor(), nil)
			require.NoError(t, found.Err)
			require.Equal(t, int64(len(b.places)), next)
			require.Len(t, found.Records, len(b.places))
			for i, place := range b.places {
				want, got := chunk[place].Message, message(found.Records[i]).Message
				require.Equal(t, b.partition, chunk[place].Partition)
				require.Equal(t, want.Key, got.Key)
				require.Equal(t, string(want.Value), string(got.Value)) // null and empty are the same
				require.Equal(t, want.Time, got.Time)
				require.ElementsMatch(t, want.Headers, got.Headers)
			}
			seen += len(b.places)
		}
		require.Equal(t, len(chunk), seen)
	})
}

func requireHeader(t *rapid.T, b *batch, first int32) {
	var header kmsg.RecordBatch
	require.NoError(t, header.ReadFrom(b.bytes))
	require.Equal(t, int64(7), header.ProducerID)
	require.Equal(t, int16(3), header.ProducerEpoch)
	require.Equal(t, first, header.FirstSequence)
	require.Equal(t, int32(len(b.places)), header.NumRecords)
	require.LessOrEqual(t, header.FirstTimestamp, header.MaxTimestamp)
}

func TestFollowing(t *testing.T) {
	require.Equal(t, int32(5), following(0, 5))
	require.Equal(t, int32(math.MaxInt32), following(math.MaxInt32-1, 1))
	require.Equal(t, int32(0), following(math.MaxInt32, 1), "0 comes after the largest")
	require.Equal(t, int32(9), following(math.MaxInt32-10, 20))
}
