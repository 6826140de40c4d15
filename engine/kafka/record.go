package kafka

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

// fill makes the Kafka record of a placed message. The message's bytes are
// shared, not copied.
func fill(record *kgo.Record, topic string, placed bus.Placed) {
	*record = kgo.Record{
		Topic:     topic,
		Partition: placed.Partition,
		Key:       []byte(placed.Key),
		Value:     placed.Value,
		Timestamp: placed.Time,
		Headers:   make([]kgo.RecordHeader, len(placed.Headers)),
	}
	for i, h := range placed.Headers {
		record.Headers[i] = kgo.RecordHeader{Key: h.Key, Value: []byte(h.Value)}
	}
}

func message(record *kgo.Record) bus.Record {
	r := bus.Record{
		Message: bus.Message{
			Key:     string(record.Key),
			Value:   record.Value,
			Headers: make([]bus.Header, len(record.Headers)),
			Time:    record.Timestamp.UTC(),
		},
		Partition: record.Partition,
		Offset:    record.Offset,
	}
	for i, h := range record.Headers {
		r.Headers[i] = bus.Header{Key: h.Key, Value: string(h.Value)}
	}
	return r
}
