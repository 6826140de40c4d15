package projection

import (
	"context"
	"slices"
	"sync"
	"time"

	"passbook/es/bus"
)

// gathering is a Projection as Run gives it to a bus. A bus hands over what there
// is of a partition at a moment, which is an event or two while commands come in
// steadily, and a transaction costs the engine about the same for one event as for
// a hundred: one for each of them would use up the machine that the commands need
// too. So there is a pace, and what has come in by all partitions meanwhile is
// committed together. Who comes after a pause waits for a tenth of it.
type gathering[Tx any] struct {
	*Projection[Tx]

	mu sync.Mutex
	// next is the transaction that can still be joined, nil without any load.
	next *departure
	// last is when the one before it went.
	last time.Time
}

// boardingShare is the part of the pace, one in so many, that is waited for other
// partitions in any case: a bus that has read all of them hands them over one
// after the other.
const boardingShare = 10

var _ bus.Paced = (*gathering[any])(nil)

// departure is a transaction that several partitions share.
type departure struct {
	at    time.Time
	loads []load        // guarded by gathering.mu until it has gone
	done  chan struct{} // closed when it is over, with
	err   error
}

func newGathering[Tx any](p *Projection[Tx]) *gathering[Tx] { return &gathering[Tx]{Projection: p} }

// Pace implements bus.Paced.
func (g *gathering[Tx]) Pace() time.Duration { return g.config.Pace }

// Consume implements bus.Consumer.
func (g *gathering[Tx]) Consume(ctx context.Context, run bus.Run) (int64, error) {
	isLast := run.Records[len(run.Records)-1].Offset+1 >= run.End
	if !isLast || g.config.Pace < 0 {
		return g.Projection.Consume(ctx, run)
	}
	return g.consumeBy(ctx, run, g.commitTogether)
}

// commitTogether commits a load with those of other partitions. If that fails,
// each is tried by itself, so that what is wrong with one is no matter of the
// others.
func (g *gathering[Tx]) commitTogether(ctx context.Context, l load) error {
	d := g.join(l)
	timer := time.NewTimer(time.Until(d.at))
	defer timer.Stop()
	select {
	case <-timer.C:
		if g.take(d) {
			d.err = g.commit(ctx, d.loads...)
			close(d.done)
		}
	case <-d.done:
	case <-ctx.Done():
		if g.leave(d, l) {
			return ctx.Err()
		}
	}
	<-d.done // it is under way, with what belongs to the caller
	if d.err != nil && len(d.loads) > 1 {
		return g.commit(ctx, l)
	}
	return d.err
}

// join puts a load into the next departure.
func (g *gathering[Tx]) join(l load) *departure {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		at := time.Now().Add(g.config.Pace / boardingShare)
		if due := g.last.Add(g.config.Pace); due.After(at) {
			at = due
		}
		g.next = &departure{at: at, done: make(chan struct{})}
	}
	g.next.loads = append(g.next.loads, l)
	return g.next
}

// take tells whether it is the caller who has to make the departure go: the
// first one whose time has come.
func (g *gathering[Tx]) take(d *departure) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next != d {
		return false
	}
	g.next, g.last = nil, time.Now()
	return true
}

// leave takes a load out of a departure, unless that has gone already.
func (g *gathering[Tx]) leave(d *departure, l load) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next != d {
		return false
	}
	d.loads = slices.DeleteFunc(d.loads, func(other load) bool { return other.part == l.part })
	return true
}
