package eventstore

import "sync"

// queue holds the commits that wait for the writer, in the order in which they
// were submitted.
type queue struct {
	mu      sync.Mutex
	waiting []*Pending
	max     int
	closed  bool
	// filled has room for one signal: that something waits, or that the queue
	// was closed.
	filled chan struct{}
}

func (q *queue) init(limit int) {
	q.max = limit
	q.filled = make(chan struct{}, 1)
}

func (q *queue) push(p *Pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrUnavailable
	}
	if len(q.waiting) >= q.max {
		return ErrOverloaded
	}
	q.waiting = append(q.waiting, p)
	q.signal()
	return nil
}

// close refuses everything that comes later; what waits stays.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default: // a signal waits already
	}
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// take removes commits from the front while fits says so, and tells whether
// there can be more.
func (q *queue) take(fits func(*Pending) bool) (taken []*Pending, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.waiting) && fits(q.waiting[n]) {
		n++
	}
	taken = q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil // let go of the array, which only grows otherwise
	} else {
		q.signal()
	}
	return taken, !q.closed || len(q.waiting) > 0
}

// remove takes out every commit that is chosen, and returns them in order.
func (q *queue) remove(chosen func(*Pending) bool) []*Pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out, kept []*Pending
	for _, p := range q.waiting {
		if chosen(p) {
			out = append(out, p)
		} else {
			kept = append(kept, p)
		}
	}
	q.waiting = kept
	return out
}
