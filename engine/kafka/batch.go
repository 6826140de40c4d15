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
)

// encode makes the batch's bytes.
func (b *batch) encode(chunk []bus.Placed, by identity, sequence int32, compressor kgo.Compressor) {
	millis := func(i int) int64 { return chunk[b.places[i]].Time.UnixMilli() }
	first, latest := millis(0), millis(0)
	var records []byte
	for i, place := range b.places {
		latest = max(latest, millis(i))
		records = appendRecord(records, chunk[place].Message, int32(i), millis(i)-first) // bounded by the chunk
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
		Records:              records,
	}
	if compressed, codec := compressor.Compress(new(bytes.Buffer), records); compressed != nil && len(compressed) < len(records) {
		m.Records, m.Attributes = compressed, int16(codec)
	}
	b.bytes = m.AppendTo(nil)
	binary.BigEndian.PutUint32(b.bytes[lengthAt:], uint32(len(b.bytes)-lengthAt-4)) //nolint:gosec // bounded by the chunk
	binary.BigEndian.PutUint32(b.bytes[crcAt:], crc32.Checksum(b.bytes[crcFrom:], crc32.MakeTable(crc32.Castagnoli)))
}

func appendRecord(to []byte, m bus.Message, offsetDelta int32, timeDelta int64) []byte {
	r := kmsg.Record{
		TimestampDelta64: timeDelta,
		OffsetDelta:      offsetDelta,
		Key:              []byte(m.Key),
		Value:            m.Value,
		Headers:          make([]kmsg.Header, len(m.Headers)),
	}
	for i, h := range m.Headers {
		r.Headers[i] = kmsg.Header{Key: h.Key, Value: []byte(h.Value)}
	}
	// The length comes first and is itself of variable length.
	body := r.AppendTo(nil)[1:]
	to = binary.AppendVarint(to, int64(len(body)))
	return append(to, body...)
}

// following is the sequence number n records later: they count from 0 again
// after the largest.
func following(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) % (math.MaxInt32 + 1)) // within 31 bits
}
