package relay

import (
	"context"
	"errors"
	"time"

	"passbook/es/bus"
	"passbook/es/eventstore"
)

// Reasons for which a relay publishes nothing, to be told apart with errors.Is.
// They stand in Status. Further ones that waiting will hardly mend are
// bus.ErrTopicWrong and eventstore.ErrMissing.
var (
	// ErrOtherHistory: topic or checkpoint belong to another history of the
	// store, from before it was put back from a back-up or filled by an import.
	// The relay needs a new topic.
	ErrOtherHistory = errors.New("topic holds another history of the store")
	// ErrDiffers: the topic holds an event that the store does not have at
	// that position. One of the two was tampered with, or put back by hand.
	ErrDiffers = errors.New("topic and store differ")
	// ErrPartitions: the number of partitions was changed, so streams have
	// moved to others. The relay needs a new topic.
	ErrPartitions = errors.New("topic has another number of partitions than before")
)

var (
	// errTailLost: the broker lost records that it had acknowledged. It is
	// mended by taking up the topic again.
	errTailLost = errors.New("topic lost acknowledged records")
	// errLeaseOver: the lease could not be renewed in time.
	errLeaseOver = errors.New("lease not renewed in time")
	errDone      = errors.New("done")
)

// needsPerson tells whether an error will hardly go away by itself.
func needsPerson(err error) bool {
	for _, reason := range []error{
		ErrOtherHistory, ErrDiffers, ErrPartitions, bus.ErrTopicWrong, eventstore.ErrMissing,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// backoff is the pause after an error, longer each time.
type backoff struct {
	config Config
	failed int
}

// pause waits before the next attempt.
func (b *backoff) pause(ctx context.Context, err error) {
	next := min(b.config.RetryMin<<min(b.failed, 10), b.config.RetryMax)
	if needsPerson(err) {
		next = b.config.RetryMax
	}
	b.failed++
	pause(ctx, next)
}

// reset is called when something worked.
func (b *backoff) reset() { b.failed = 0 }

func pause(ctx context.Context, duration time.Duration) {
	if duration <= 0 {
		return
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
