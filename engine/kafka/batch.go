package kafka

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

// batch is a partition's share of a chunk, as one Kafka record batch. Its bytes
// are made once: whenever it is sent it is the same.
type batch struct {
	partition int32
	places    []int // of its records in the chunk
	bytes     []byte
	offset    int64 // of its first record, once it is acknowledged
}

// batches returns the shares of a chunk, in no order.
func batches(chunk []bus.Placed) []*batch {
	shares := make(map[int32]*batch)
	for i, r := range chunk {
		b := shares[r.Partition]
		if b == nil {
			b = &batch{partition: r.Partition}
			shares[r.Partition] = b
		}
		b.places = append(b.places, i)
	}
	all := make([]*batch, 0, len(shares))
	for _, b := range shares {
		all = append(all, b)
	}
	return all
}

// Places in the bytes of a record batch, by the protocol.
const (
	lengthAt = 8
	crcAt    = 17
	crcFrom  = 21 // everything from here on is under the checksum

	batchOverhead = 64 // not less than what stands before the records
)

// packer makes the bytes of batches, one after the other, in buffers that it
// keeps.
type packer struct {
	compressor  kgo.Compressor
	body, plain []byte
	packed      bytes.Buffer
}

// encode makes the batch's bytes, which are its own.
func (b *batch) encode(chunk []bus.Placed, by identity, sequence int32, with *packer) {
	millis := func(i int) int64 { return chunk[b.places[i]].Time.UnixMilli() }
	first, latest := millis(0), millis(0)
	with.plain = with.plain[:0]
	for i, place := range b.places {
		latest = max(latest, millis(i))
		with.body = appendBody(with.body[:0], chunk[place].Message, i, millis(i)-first)
		with.plain = binary.AppendVarint(with.plain, int64(len(with.body)))
		with.plain = append(with.plain, with.body...)
	}
	m := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1,
		Magic:                2,
		LastOffsetDelta:      int32(len(b.places) - 1), //nolint:gosec // bounded by the chunk
		FirstTimestamp:       first,
		MaxTimestamp:         latest,
		ProducerID:           by.id,
		ProducerEpoch:        by.epoch,
		FirstSequence:        sequence,
		NumRecords:           int32(len(b.places)), //nolint:gosec // bounded by the chunk
		Records:              with.plain,
	}
	with.packed.Reset()
	if packed, codec := with.compressor.Compress(&with.packed, with.plain); packed != nil && len(packed) < len(with.plain) {
		m.Records, m.Attributes = packed, int16(codec)
	}
	b.bytes = m.AppendTo(make([]byte, 0, batchOverhead+len(m.Records)))
	binary.BigEndian.PutUint32(b.bytes[lengthAt:], uint32(len(b.bytes)-lengthAt-4)) //nolint:gosec // bounded by the chunk
	binary.BigEndian.PutUint32(b.bytes[crcAt:], crc32.Checksum(b.bytes[crcFrom:], crc32.MakeTable(crc32.Castagnoli)))
}

// appendBody appends a record as it stands in a batch, behind its length. There are
// many of them: it makes no values of the client's types to have those appended.
func appendBody(to []byte, m bus.Message, offsetDelta int, timeDelta int64) []byte {
	to = append(to, 0) // attributes
	to = binary.AppendVarint(to, timeDelta)
	to = binary.AppendVarint(to, int64(offsetDelta))
	to = appendText(to, m.Key)
	if m.Value == nil {
		to = binary.AppendVarint(to, -1) // null
	} else {
		to = binary.AppendVarint(to, int64(len(m.Value)))
		to = append(to, m.Value...)
	}
	to = binary.AppendVarint(to, int64(len(m.Headers)))
	for _, h := range m.Headers {
		to = appendText(to, h.Key)
		to = appendText(to, h.Value)
	}
	return to
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendVarint(to, int64(len(text))), text...)
}

// following is the sequence number n records later: they count from 0 again
// after the largest.
func following(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) % (math.MaxInt32 + 1)) // within 31 bits
}
