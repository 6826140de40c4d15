package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"passbook/es/bus"
)

// tinyGroup is who reads together. A partition goes to another member only
// after the one that had it has given it up.
type tinyGroup struct {
	members   []*tinyMember
	owner     map[int32]*tinyMember
	committed map[int32]int64
}

type tinyMember struct {
	*tiny
	group    *tinyGroup
	consumer bus.Consumer
	workers  map[int32]*tinyWorker
	one      sync.Mutex // for the flaw of a single thread
}

type tinyWorker struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (t *tiny) Run(ctx context.Context, group string, consumer bus.Consumer) error {
	if t.flaw == flawOneGroup {
		group = "the only one"
	}
	m := &tinyMember{tiny: t, consumer: consumer, workers: make(map[int32]*tinyWorker)}
	t.change(func() {
		if t.groups[group] == nil {
			t.groups[group] = &tinyGroup{owner: make(map[int32]*tinyMember), committed: make(map[int32]int64)}
		}
		m.group = t.groups[group]
		m.group.members = append(m.group.members, m)
	})
	for ctx.Err() == nil {
		t.mu.Lock()
		changed, life := t.changed, t.life
		t.mu.Unlock()
		if life == 0 && t.flaw == flawMissingIsFatal {
			return errors.New("no such topic")
		}
		if life > 0 {
			m.rebalance(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	m.leave()
	if t.flaw == flawReturnsContextError {
		return ctx.Err()
	}
	return nil
}

func (m *tinyMember) leave() {
	if m.flaw != flawNeverRebalances {
		m.change(func() {
			m.group.members = slices.DeleteFunc(m.group.members, func(o *tinyMember) bool { return o == m })
		})
	}
	for p := range m.workers {
		m.release(p)
	}
	if m.flaw == flawAfterlife {
		m.change(func() { m.haunts = append(m.haunts, func() { m.consumer.Revoke(0) }) })
	}
}

// rebalance gives up what is another's to have and takes what is free.
func (m *tinyMember) rebalance(ctx context.Context) {
	for p := range m.partitions {
		if m.flaw == flawSkipsPartition && p == m.partitions-1 {
			continue
		}
		m.mu.Lock()
		mine := m.group.members[int(p)%len(m.group.members)] == m || m.flaw == flawAllToAll
		owner := m.group.owner[p]
		take := mine && (owner == nil || m.flaw == flawAllToAll) && m.workers[p] == nil
		if take {
			m.group.owner[p] = m
		}
		m.mu.Unlock()
		switch {
		case take:
			ctx, cancel := context.WithCancel(ctx)
			w := &tinyWorker{cancel: cancel, done: make(chan struct{})}
			m.workers[p] = w
			go m.work(ctx, p, w.done)
		case !mine && m.workers[p] != nil:
			m.release(p)
		}
	}
}

func (m *tinyMember) release(partition int32) {
	w := m.workers[partition]
	w.cancel()
	<-w.done
	delete(m.workers, partition)
	m.change(func() {
		if m.group.owner[partition] == m {
			delete(m.group.owner, partition)
		}
	})
}

func (m *tinyMember) work(ctx context.Context, partition int32, done chan<- struct{}) {
	defer close(done)
	if m.flaw != flawNoRevoke {
		defer m.consumer.Revoke(partition)
	}
	for ctx.Err() == nil {
		m.mu.Lock()
		topic, bounds := m.topic(), m.bounds(partition)
		m.mu.Unlock()
		next, err := m.consumer.Assign(ctx, bus.Assignment{Topic: topic, Partition: partition, Bounds: bounds})
		switch {
		case m.flaw == flawFromStart, err != nil && m.flaw == flawAssignOnce:
			next = bounds.First
		case m.flaw == flawFromGroup:
			m.mu.Lock()
			next = max(next, m.group.committed[partition])
			m.mu.Unlock()
		case err != nil:
			continue
		}
		m.consume(ctx, topic, partition, next)
	}
}

// consume returns when the consumer is to be asked again where to go on.
func (m *tinyMember) consume(ctx context.Context, topic bus.Topic, partition int32, next int64) {
	for ctx.Err() == nil {
		m.mu.Lock()
		changed, l := m.changed, &m.logs[partition]
		if topic != m.topic() && m.flaw != flawBlind {
			m.mu.Unlock()
			return
		}
		if next < l.first || next > l.end && m.flaw != flawBlind {
			if m.flaw != flawSlides {
				m.mu.Unlock()
				return
			}
			next = l.first
		}
		run := bus.Run{Topic: topic, Partition: partition, Records: l.from(next, 40), End: l.end}
		m.mu.Unlock()
		if len(run.Records) == 0 && m.flaw != flawEmptyRuns {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		next = m.hand(ctx, run, next)
	}
}

func (m *tinyMember) hand(ctx context.Context, run bus.Run, next int64) int64 {
	switch {
	case m.flaw == flawOneThread:
		m.one.Lock()
		defer m.one.Unlock()
	case m.flaw == flawHidesContext:
		ctx = context.WithoutCancel(ctx)
	case m.flaw == flawSmallEnd:
		run.End = next
	case m.flaw == flawLateRuns:
		m.consumer.Revoke(run.Partition)
	case m.flaw == flawCountsOffsets && run.Records[0].Offset != next:
		<-ctx.Done()
		return next
	}
	for ctx.Err() == nil {
		to, err := m.consumer.Consume(ctx, run)
		switch {
		case err != nil && m.flaw == flawPassesOverErrors, err == nil && m.flaw == flawNeverSeeks:
			return behind(run)
		case err == nil && m.flaw == flawStopsAtEnd && to >= run.End:
			<-ctx.Done()
		case err == nil && m.flaw == flawLosesBetweenRuns && len(run.Records) == 40:
			return to + 1
		case err == nil:
			m.mu.Lock()
			m.group.committed[run.Partition] = to
			m.mu.Unlock()
			return to
		}
	}
	return next
}
