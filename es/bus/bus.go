// Package bus is the contract between those who publish events and those who
// read them: a topic with partitions, in each of which records keep their
// order. Envelopes go in on the relay's side (Feed, Producer); runs of records
// come out on the consumers' side (Subscriber, Consumer).
//
//	bus.go          topics, records
//	encoder.go      envelope -> message
//	cloudevents.go  its headers; message -> envelope
//	partition.go    which partition a stream belongs to
//	feed.go         what a relay needs of a topic
//	subscriber.go   what a consumer gets from it
//	topics.go       other topics than the feed
package bus

import "time"

// Topic identifies one life of a topic. A topic that is deleted and made again
// under its name has another ID: nothing that was known of its offsets holds.
type Topic struct {
	Name, ID   string
	Partitions int32
}

// Bounds are the offsets of a partition: First is that of its oldest record
// (above 0 where records were deleted), End the one that the next record gets.
type Bounds struct{ First, End int64 }

// Message is a record before it has a place.
type Message struct {
	// Key decides the partition; records of one key keep their order.
	Key     string
	Value   []byte
	Headers []Header
	Time    time.Time
}

// Header is one header of a message.
type Header struct{ Key, Value string }

// Record is a message at its place.
type Record struct {
	Message
	Partition int32
	// Offset grows along a partition. It may skip numbers.
	Offset int64
}

// Header returns the value of the first header of that name, and whether there
// is one.
func (m Message) Header(key string) (string, bool) {
	for _, h := range m.Headers {
		if h.Key == key {
			return h.Value, true
		}
	}
	return "", false
}
