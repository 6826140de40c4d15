package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

// pauseAfter is how long to wait after so many failures in a row: least,
// doubling to most, less up to a fifth so that many who failed at one instant
// do not come back at one instant.
func pauseAfter(failures int, least, most time.Duration) time.Duration {
	pause := most
	if failures < 20 {
		pause = min(most, least<<max(0, failures-1))
	}
	return pause - time.Duration(rand.Int64N(int64(pause)/5+1)) //nolint:gosec // not a secret
}

// wait returns true after the pause, or false as soon as ctx has ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
