package kafka

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

const (
	// idleWait is how long a broker holds a request for which it has nothing.
	idleWait = 500 * time.Millisecond
	// briskWait is the same while a partition is missing in the request,
	// because its worker still holds what came last: it will ask at any moment,
	// and a broker serves the requests of a connection one after the other.
	briskWait = 10 * time.Millisecond

	haulBytesMax = 1 << 20
)

// fetcher makes the fetch requests of a session. Workers ask it for what comes
// next in their partitions; it puts what they ask for into one request for each
// broker. It never goes on by itself: whoever wants to read elsewhere just asks
// for that.
//
// Where a consumer has a pace, requests to a broker begin that far apart as long
// as they bring all that there is: what comes in meanwhile is in the next one, of
// all its partitions.
type fetcher struct {
	pace   time.Duration
	bus    *Bus
	topic  bus.Topic
	client *kgo.Client
	asks   chan ask
	// reading counts the workers that have asked or will ask soon: all but
	// those that pause after a failure.
	reading atomic.Int32
}

// ask is answered once there is something at its position, or an error.
type ask struct {
	position
	answer chan<- haul     // has room for the one answer
	over   <-chan struct{} // closed when nobody waits any more
}

func newFetcher(b *Bus, topic bus.Topic, pace time.Duration) *fetcher {
	return &fetcher{bus: b, topic: topic, pace: pace, asks: make(chan ask)}
}

// ask returns where the haul from at will be found, until ctx ends. A newer ask
// for the partition takes its place; the older one may be answered or not.
func (f *fetcher) ask(ctx context.Context, at position) <-chan haul {
	answer := make(chan haul, 1)
	select {
	case f.asks <- ask{at, answer, ctx.Done()}:
	case <-ctx.Done():
	}
	return answer
}

// desk is the state of a running fetcher.
type desk struct {
	newest   map[int32]chan<- haul // by partition
	waiting  map[int32]ask         // by partition
	away     map[int32]int         // how many asks are with a broker that has not answered yet
	due      map[int32]time.Time   // by broker, when it is to be asked again
	leaders  []int32               // by partition; nil while they are looked up
	failures int                   // in a row
}

// run serves until ctx ends, and waits for its requests.
func (f *fetcher) run(ctx context.Context) {
	d := desk{newest: make(map[int32]chan<- haul), waiting: make(map[int32]ask), away: make(map[int32]int), due: make(map[int32]time.Time)}
	back, looked := make(chan trip), make(chan []int32)
	var flights sync.WaitGroup
	defer flights.Wait()
	flights.Go(func() { f.look(ctx, 0, looked) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		ready, later := d.takeReady(time.Now())
		timer.Reset(later)
		pause := idleWait
		if d.asked() < int(f.reading.Load()) {
			pause = briskWait
		}
		for broker, asks := range ready {
			flights.Go(func() { f.travel(ctx, broker, asks, pause, back) })
		}
		select {
		case a := <-f.asks:
			d.newest[a.partition], d.waiting[a.partition] = a.answer, a
		case <-timer.C:
		case d.leaders = <-looked:
		case t := <-back:
			if d.take(t) {
				failures := d.failures
				flights.Go(func() { f.look(ctx, failures, looked) })
			}
		case <-ctx.Done():
			return
		}
	}
}

// takeReady takes what can be asked for now, by broker: nothing of a broker
// that has not answered yet, or that is to be asked later. It returns in how long
// to look again, if nothing happens before.
func (d *desk) takeReady(now time.Time) (ready map[int32][]ask, later time.Duration) {
	ready, later = make(map[int32][]ask), time.Hour
	for p, a := range d.waiting {
		if isClosed(a.over) {
			delete(d.waiting, p)
			continue
		}
		if int(p) >= len(d.leaders) || d.away[d.leaders[p]] > 0 {
			continue
		}
		if wait := d.due[d.leaders[p]].Sub(now); wait > 0 {
			later = min(later, wait)
			continue
		}
		ready[d.leaders[p]] = append(ready[d.leaders[p]], a)
		delete(d.waiting, p)
	}
	for broker, asks := range ready {
		d.away[broker] = len(asks)
	}
	return ready, later
}

func (d *desk) asked() int {
	n := len(d.waiting)
	for _, asks := range d.away {
		n += asks
	}
	return n
}

// take lets what was not answered wait for the next trip, and tells whether
// leaders are to be looked up now.
func (d *desk) take(t trip) bool {
	delete(d.away, t.broker)
	d.due[t.broker] = t.due
	for _, a := range t.unanswered {
		if _, newer := d.waiting[a.partition]; !newer && d.newest[a.partition] == a.answer {
			d.waiting[a.partition] = a
		}
	}
	if !t.failed {
		d.failures = 0
		return false
	}
	d.failures++
	known := d.leaders != nil
	d.leaders = nil
	return known
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// look finds the leaders of the partitions, trying again until ctx ends. When
// the topic has changed, those who read it are told so by the brokers, or by
// the session's watch.
func (f *fetcher) look(ctx context.Context, failures int, looked chan<- []int32) {
	for ; ; failures++ {
		if failures > 0 && !wait(ctx, pauseAfter(failures, 20*time.Millisecond, time.Second)) {
			return
		}
		s, err := f.bus.look(ctx, f.client)
		if err != nil {
			continue
		}
		select {
		case looked <- s.leaders:
		case <-ctx.Done():
		}
		return
	}
}

// trip is a request that is back.
type trip struct {
	broker     int32
	unanswered []ask // there was nothing yet
	due        time.Time
	failed     bool // for a reason for which leaders are looked up again
}

// travel makes one request and answers those for whom it brought something.
func (f *fetcher) travel(ctx context.Context, broker int32, asks []ask, pause time.Duration, back chan<- trip) {
	r := request{topic: f.topic, broker: broker, wait: pause, bytesMax: haulBytesMax}
	for _, a := range asks {
		r.positions = append(r.positions, a.position)
	}
	began := time.Now()
	hauls, idsKnown, err := fetch(ctx, f.client, r)
	if err == nil && !idsKnown {
		_, err = f.bus.check(ctx, f.client, f.topic)
	}
	t := trip{broker: broker, failed: err != nil}
	if f.pace > 0 && isAll(hauls) {
		t.due = began.Add(f.pace)
	}
	for i, a := range asks {
		h := haul{next: a.position, err: err}
		if err == nil {
			h = hauls[i]
		}
		if h.err == nil && len(h.records) == 0 {
			a.position = h.next
			t.unanswered = append(t.unanswered, a)
			continue
		}
		t.failed = t.failed || h.err != nil && !errors.Is(h.err, errGone)
		a.answer <- h
	}
	select {
	case back <- t:
	case <-ctx.Done():
	}
}

// isAll tells whether hauls hold something, and everything that there was.
func isAll(hauls []haul) bool {
	some := false
	for _, h := range hauls {
		if h.next.offset < h.end {
			return false
		}
		some = some || len(h.records) > 0
	}
	return some
}
