package kafka

import "passbook/es/bus"

// What one chunk may hold. The batch of a partition stays far below the
// megabyte that brokers take by default, so that nothing but a single record
// can make it too large.
const (
	batchBytesMax   = 512 << 10
	chunkBytesMax   = 16 << 20
	chunkRecordsMax = 50_000
)

// Bytes that a record and a header take on the wire beside their contents, at
// most: lengths of up to five bytes each, attributes and deltas.
const (
	recordOverhead = 40
	headerOverhead = 10
)

// fits returns how many of the first records make a chunk in which each
// partition's share is one batch; at least one.
func fits(records []bus.Placed) int {
	shares, total := make(map[int32]int), 0
	for i, r := range records {
		size := sizeMax(r.Message)
		shares[r.Partition] += size
		total += size
		if i > 0 && (shares[r.Partition] > batchBytesMax || total > chunkBytesMax || i == chunkRecordsMax) {
			return i
		}
	}
	return len(records)
}

// sizeMax is not below what the record takes in a batch, uncompressed.
func sizeMax(m bus.Message) int {
	size := recordOverhead + len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		size += headerOverhead + len(h.Key) + len(h.Value)
	}
	return size
}
