package bus

import (
	"context"
	"errors"
	"iter"
)

// Errors of a Feed and its producers.
var (
	// ErrTopicChanged: the topic is not the one that Open returned: it was made
	// again, or has another number of partitions.
	ErrTopicChanged = errors.New("topic changed")
	// ErrTopicWrong: the topic exists with settings under which it would lose
	// events or their order. The error names each setting, what it is and what
	// it must be.
	ErrTopicWrong = errors.New("topic has wrong settings")
)

// Feed is a topic as its only writer sees it. Its methods are safe for
// concurrent use.
type Feed interface {
	// Open creates the topic where there is none, with settings under which no
	// record is ever deleted or overwritten, and checks those of one that
	// exists. It is to be called again whenever there is reason to think that
	// the topic changed; it is cheap.
	Open(ctx context.Context) (Topic, error)

	// Bounds returns first and end offset of each partition, the partition's
	// number being the index, or ErrTopicChanged.
	Bounds(ctx context.Context, topic Topic) ([]Bounds, error)

	// Read yields the records of one partition with from <= offset < end, in
	// order. It ends early only with an error: ErrTopicChanged, or that records
	// of the range are gone.
	Read(ctx context.Context, topic Topic, partition int32, from, end int64) iter.Seq2[Record, error]

	// Producer returns a new producer for the topic. There is no use in having
	// two at once.
	Producer(ctx context.Context, topic Topic) (Producer, error)
}

// Producer publishes unbroken runs: of the records of one partition that are
// given to it, in one call or in several, those that arrive are always the
// first ones, in order, each once. After its first error it publishes nothing
// more, and only another producer can go on, from what is then found in the
// topic. It is used by one goroutine at a time.
type Producer interface {
	// Publish returns once every record is as durable as the topic can make it,
	// with the offset of each. With an error, any number of them, from none to
	// all, may have arrived in each partition.
	// A topic that was made again is noticed (ErrTopicChanged) before anything
	// of the call is published, or, where it happens during the call, before
	// the next.
	Publish(ctx context.Context, records []Placed) ([]int64, error)
	// Close ends the producer and waits for what it had started. It may be
	// called more than once.
	Close()
}

// Placed is a message with the partition that it is to go to.
type Placed struct {
	Message
	Partition int32
}
