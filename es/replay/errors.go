package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"passbook/es/bus"
	"passbook/es/eventstore"
	"passbook/es/projection"
)

// Errors of Log, to be told apart with errors.Is.
var (
	// ErrUnknown: there is no restore of that id, or it was so long ago that
	// nothing is known of it any more.
	ErrUnknown = errors.New("no such restore")
	// ErrUnavailable: the log cannot be read now, or is not there yet, since no
	// publisher has run. Nothing was asked for.
	ErrUnavailable = errors.New("log of restores is not available")
	// ErrUncertain: whether the request is on the log cannot be told.
	ErrUncertain = errors.New("restore may have been requested")
)

var (
	// errBehind: the old line has come further than the new one.
	errBehind = errors.New("the new line is behind the old one")
	// errAhead: the old line has not come to where a stream of the new one parks.
	errAhead = errors.New("the old line has not come as far")
	// errOver: the restore is not the one that runs any more, or was published
	// again.
	errOver = errors.New("the restore is over")
)

// finalError is what fails a restore at once: trying again would come to the
// same.
type finalError struct{ error }

func (f finalError) Unwrap() error { return f.error }

func finalf(format string, args ...any) error { return finalError{fmt.Errorf(format, args...)} }

// isFinal tells whether an error fails a restore at once.
func isFinal(err error) bool {
	if _, ok := errors.AsType[finalError](err); ok {
		return true
	}
	for _, reason := range []error{
		bus.ErrTopicChanged, bus.ErrTopicWrong, eventstore.ErrMissing,
		projection.ErrOtherHistory, projection.ErrFeedTruncated,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
