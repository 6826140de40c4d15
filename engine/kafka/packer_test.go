package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"passbook/es/bus"
)

// TestPacker_BatchesKeepTheirBytes: a batch may have to be sent again when others
// have been made in the same buffers.
func TestPacker_BatchesKeepTheirBytes(t *testing.T) {
	compressor, err := kgo.DefaultCompressor(kgo.SnappyCompression())
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		chunk := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bus.Placed {
			return bus.Placed{
				Message:   bus.Message{Key: rapid.String().Draw(t, "key"), Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value")},
				Partition: rapid.Int32Range(0, 4).Draw(t, "partition"),
			}
		}), 1, 30).Draw(t, "chunk")
		shared := &packer{compressor: compressor}
		all := batches(chunk)
		for _, b := range all {
			b.encode(chunk, identity{id: 7}, 1, shared)
		}
		for _, b := range all {
			alone := batch{partition: b.partition, places: b.places}
			alone.encode(chunk, identity{id: 7}, 1, &packer{compressor: compressor})
			require.Equal(t, alone.bytes, b.bytes)
		}
	})
}

// TestAppendBody: a record is what the client makes of it, null values included.
func TestAppendBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		if rapid.Bool().Draw(t, "null") {
			m.Value = nil
		}
		place := rapid.IntRange(0, chunkRecordsMax).Draw(t, "place")
		later := rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "ms")
		want := kmsg.Record{TimestampDelta64: later, OffsetDelta: int32(place), Key: []byte(m.Key), Value: m.Value}
		for _, h := range m.Headers {
			want.Headers = append(want.Headers, kmsg.Header{Key: h.Key, Value: []byte(h.Value)})
		}
		body := appendBody(nil, m, place, later)
		require.Equal(t, want.AppendTo(nil)[1:], body) // behind a length of 0
		require.LessOrEqual(t, len(body), sizeMax(m))
	})
}
