package bus

import (
	"context"
	"time"
)

// Subscriber brings the records of a topic to the members of a group: each
// partition to one member at a time, as far as that can be known (a member that
// was paused for long may still act on one that has gone to another).
type Subscriber interface {
	// Run joins the group and drives consumer until ctx ends; then it leaves
	// the group and returns nil. A bus that cannot be reached, or a topic that
	// does not exist yet, is tried again for ever. It returns an error only
	// for what no waiting can mend.
	//
	// Where a partition is read from is the consumer's to say, and never an
	// offset that the bus keeps. What was consumed is also committed to the
	// group, but only so that tools can show the lag.
	Run(ctx context.Context, group string, consumer Consumer) error
}

// Consumer is what a Subscriber drives. Its methods are called by one goroutine
// at a time for each partition; calls for different partitions may overlap.
type Consumer interface {
	// Assign is called when a partition comes to this member, and again when
	// its topic was made anew, when the offset that was to be read next is no
	// longer there, or when the bus was lost for a while, so that what lies
	// before that offset may be another. It returns the offset to read from,
	// within the bounds. After an error it is called again, after a pause.
	Assign(ctx context.Context, assignment Assignment) (offset int64, err error)

	// Consume takes the next records of an assigned partition and returns the
	// offset that is to be read next: one behind the last of them, or another
	// place to go on from. After an error the same offset is read again, after
	// a pause that grows; nothing is ever passed over.
	Consume(ctx context.Context, run Run) (next int64, err error)

	// Revoke is called when a partition has left this member, whether it was
	// given up in order or lost.
	Revoke(partition int32)
}

// Paced is a Consumer for which it makes no difference whether a record comes at
// once or within its pace, but a great one whether runs come one by one: it deals
// with those of all partitions together.
type Paced interface {
	Consumer
	// Pace is how long a Subscriber may wait after it has read records behind
	// which there were no others, before it reads again, in all partitions. It
	// does not wait after a pause that long, and not while there is more to read.
	// 0 or less: not at all.
	Pace() time.Duration
}

// PaceOf returns the pace of a consumer, 0 of one that has none.
func PaceOf(consumer Consumer) time.Duration {
	if paced, ok := consumer.(Paced); ok {
		return max(0, paced.Pace())
	}
	return 0
}

// Assignment tells a consumer which partition it gets.
type Assignment struct {
	Topic     Topic
	Partition int32
	// Bounds at a moment of the assignment.
	Bounds Bounds
}

// Run is a row of records of one partition, in ascending order of offsets,
// never empty.
type Run struct {
	Topic     Topic
	Partition int32
	Records   []Record
	// End is the partition's end offset as last heard of; what lies between
	// the last record and End is the lag.
	End int64
}
