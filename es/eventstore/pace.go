package eventstore

import (
	"context"
	"time"
)

// pace lets callers who were answered together come back together. A group that
// is gathered as soon as the one before it is written holds only those who have
// waited meanwhile; those who were just answered miss it. So the callers fall
// into two halves that take turns, and everybody waits for two writes. Where a
// write takes long for reasons that are no work of this machine, such as a network,
// that halves what it gets done; a short wait is worth it there.
type pace struct {
	ended time.Time
	took  time.Duration
	// everybody is how many commits wait once all have come back.
	everybody int
}

const (
	// paceMin is how long a write takes at least, for it to be worth a wait.
	paceMin = 5 * time.Millisecond
	// paceShare is the part of the write that is waited at most, one in so many.
	paceShare = 16
	paceMax   = 10 * time.Millisecond
)

// wrote notes that a group was written.
func (p *pace) wrote(s *Store, commits int, began time.Time) {
	p.ended = time.Now()
	p.took = p.ended.Sub(began)
	p.everybody = s.queue.length() + commits
}

// wait returns when as many commits wait as there are callers, or when it is not
// worth it to wait any longer.
func (p *pace) wait(ctx context.Context, s *Store) {
	if p.took < paceMin {
		return
	}
	left := min(p.took/paceShare, paceMax) - time.Since(p.ended)
	if left <= 0 || s.queue.length() >= p.everybody {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	for s.queue.length() < p.everybody {
		select {
		case <-s.queue.filled: // or closed: then there is nothing to wait for
			if s.queue.isClosed() {
				return
			}
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
