package replay

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// seal is what ends a partition of a replay. It is no event, so that whoever
// takes the topic for a feed passes over it.
type seal struct {
	Restore  string `json:"restore"`
	History  string `json:"history"`
	Head     int64  `json:"head"` // the last position of the replay, in whatever partition
	Count    int64  `json:"count"`
	Checksum string `json:"checksum"` // of the partition's events, see tally
}

// sealHeader tells a seal from an event.
const (
	sealHeader = "passbook-replay"
	sealValue  = "end"
)

func (s seal) message(partition int32) (bus.Placed, error) {
	value, err := json.Marshal(s)
	return bus.Placed{Partition: partition, Message: bus.Message{
		Value: value, Headers: []bus.Header{{Key: sealHeader, Value: sealValue}}, Time: time.Now(),
	}}, err
}

// isSeal tells whether a message is a seal; what is in it may be wrong still.
func isSeal(m bus.Message) bool {
	value, ok := m.Header(sealHeader)
	return ok && value == sealValue
}

// tally counts the events of a partition and sums them up, in order. The sum is
// SHA-256 over everything that a model may fold, so that an event that was
// altered, left out, repeated or moved shows.
type tally struct {
	count int64
	sum   hash.Hash
}

func newTally() *tally { return &tally{sum: sha256.New()} }

func (t *tally) add(e event.Envelope) {
	t.count++
	number := func(n int64) { _ = binary.Write(t.sum, binary.BigEndian, n) } // a hash never fails
	text := func(b []byte) {
		number(int64(len(b)))
		_, _ = t.sum.Write(b)
	}
	number(e.Position)
	number(e.Version)
	number(e.Time.UnixMicro())
	text([]byte(e.Stream))
	text([]byte(e.ID))
	text([]byte(e.Type.String()))
	text(e.Data)
}

func (t *tally) checksum() string { return hex.EncodeToString(t.sum.Sum(nil)) }
