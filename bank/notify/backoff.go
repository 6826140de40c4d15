package notify

import (
	"math/rand/v2"
	"time"
)

// Pauses before the next attempt: they double from the least to the largest, and
// half of each is left to chance, so that what failed together does not come back
// together.
const (
	pauseMin = time.Second
	pauseMax = 15 * time.Minute
)

// A notification is given up when it is a day old and was tried a few times: one
// that waited behind another, or for a service that was down, gets its turn too.
const (
	giveUpAge      = 24 * time.Hour
	giveUpAttempts = 5
)

// pauseAfter is how long to wait after so many attempts, from 1.
func pauseAfter(attempts int64) time.Duration {
	pause := pauseMax
	if doublings := attempts - 1; doublings < 10 {
		pause = min(pauseMin<<doublings, pauseMax)
	}
	return pause/2 + rand.N(pause/2) //nolint:gosec // nobody gains from knowing when the next attempt is
}

func givesUp(attempts int64, age time.Duration) bool {
	return attempts >= giveUpAttempts && age >= giveUpAge
}
