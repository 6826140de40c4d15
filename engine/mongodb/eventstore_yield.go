package mongodb

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// yielding lets others have their turn. One writer at a time can append; the one
// that has just won knows the new head first and would win again, and again: the
// others would wait long, and waste attempts. So after a collision a writer
// pauses for as long as the others need, before each of its next groups. Without
// others nobody pauses. Safe for concurrent use.
type yielding struct {
	mu sync.Mutex
	// others are the writers seen lately.
	others map[string]time.Time
	// duration is that of the last successful write, turns how many groups are
	// still to be paused before.
	duration time.Duration
	turns    int
	// lost counts collisions since the last success.
	lost int
}

const (
	// turnsMax is how many successes after a collision are paused before.
	turnsMax = 20
	// A writer counts while it was seen in the last rememberMin, and rememberTurns
	// times the duration of a write.
	rememberMin   = 100 * time.Millisecond
	rememberTurns = 40
	// yieldMax bounds the pause when writes are slow for reasons of their own.
	yieldMax = 500 * time.Millisecond
)

func newYielding() yielding { return yielding{others: make(map[string]time.Time)} }

// met notes that another writer has written the last event.
func (y *yielding) met(writer string) {
	if writer == "" {
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.others[writer] = time.Now()
}

// collided notes that another was faster.
func (y *yielding) collided() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.turns = turnsMax
	y.lost++
}

// asked notes that another has lost again and again, and nobody knows to whom.
func (y *yielding) asked() {
	y.met("another")
	y.mu.Lock()
	defer y.mu.Unlock()
	y.turns = turnsMax
}

// contended tells whether another was faster lately.
func (y *yielding) contended() bool {
	_, contended := y.state()
	return contended
}

// state tells how many races in a row were lost, and whether one was lately.
func (y *yielding) state() (lost int, contended bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.lost, y.turns > 0
}

// wrote notes a successful write, and how long it took.
func (y *yielding) wrote(duration time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.duration = duration
	y.turns = max(y.turns-1, 0)
	y.lost = 0
}

// pause tells how long to wait before the next group.
func (y *yielding) pause() time.Duration {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.turns == 0 || y.lost > 0 { // who has lost tries again at once
		return 0
	}
	lately := time.Now().Add(-rememberMin - rememberTurns*y.duration)
	for writer, seen := range y.others {
		if seen.Before(lately) {
			delete(y.others, writer)
		}
	}
	share := 0.6 + 0.4*rand.Float64() //nolint:gosec // to spread writers out, not to keep a secret
	return min(time.Duration(share*float64(len(y.others))*float64(y.duration)), yieldMax)
}

// Turn implements eventstore.Sharing.
func (s *EventStore) Turn(ctx context.Context) {
	rest(ctx, s.yield.pause())
}

// rest returns after a pause, or when ctx ends.
func rest(ctx context.Context, pause time.Duration) {
	if pause <= 0 {
		return
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}
