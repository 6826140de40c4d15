package broker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// Layout of a Kafka record batch, version 2, big-endian: where its fields are.
const (
	batchOffset     = 0  // of the first record
	batchLength     = 8  // of all that follows this field
	batchEpoch      = 12 // of the leader that wrote it
	batchMagic      = 16 // version of the layout
	batchChecksum   = 17 // of all that follows this field
	batchAttributes = 21
	batchLastDelta  = 23 // offset of the last record, relative to the first
	batchRecords    = 61 // the records, up to the end

	magic         = 2
	transactional = 0x10 // bit of the attributes
)

// segment is the sound beginning of one of a partition's files: whole batches with right checksums and increasing
// offsets, without a gap among them unless gaps are allowed.
type segment struct {
	path string
	base int64 // offset that the file is named after

	size      int64 // bytes that are sound; the file may be longer
	torn      bool  // the file is longer
	next      int64 // offset behind the last sound batch
	epoch     int32
	inTxn     bool // some batch belongs to a transaction
	recordBuf []byte
}

// scan reads the file up to its end or the first batch that is not sound.
func (s *segment) scan(gaps bool) error {
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	s.next = s.base
	in := bufio.NewReaderSize(file, 1<<18)
	for s.size < info.Size() {
		sound, err := s.batch(in, info.Size()-s.size, gaps)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if !sound {
			s.torn = true
			return nil
		}
	}
	return nil
}

// batch reads one batch, of which there are at most left bytes, and takes it in if it is sound.
func (s *segment) batch(in io.Reader, left int64, gaps bool) (bool, error) {
	var head [batchRecords]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return false, err
	}
	size := int64(binary.BigEndian.Uint32(head[batchLength:])) + batchEpoch
	if size < batchRecords || size > left {
		return false, nil
	}
	first := int64(binary.BigEndian.Uint64(head[batchOffset:]))
	delta := int32(binary.BigEndian.Uint32(head[batchLastDelta:]))
	if first < s.next || first > s.next && !gaps || delta < 0 || head[batchMagic] != magic {
		return false, nil
	}
	if need := int(size - batchRecords); need > cap(s.recordBuf) {
		s.recordBuf = make([]byte, need)
	}
	records := s.recordBuf[:size-batchRecords]
	if _, err := io.ReadFull(in, records); err != nil {
		return false, err
	}
	sum := crc32.Update(crc32.Checksum(head[batchAttributes:], castagnoli), castagnoli, records)
	if sum != binary.BigEndian.Uint32(head[batchChecksum:]) {
		return false, nil
	}
	s.size += size
	s.next = first + int64(delta) + 1
	s.epoch = int32(binary.BigEndian.Uint32(head[batchEpoch:]))
	s.inTxn = s.inTxn || binary.BigEndian.Uint16(head[batchAttributes:])&transactional != 0
	return true, nil
}
