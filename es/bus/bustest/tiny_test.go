package bustest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// tiny is a bus in memory that keeps the contract, but for the one flaw that
// is planted in it.
type tiny struct {
	flaw       string
	partitions int32

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	life    int           // 0: there is no topic
	logs    []tinyLog
	refuse  map[int32]int // writes until the refused one
	groups  map[string]*tinyGroup
	late    []func() // writes that were acknowledged too early
	haunts  []func() // consumers that are still called
}

type tinyLog struct {
	records    []bus.Record
	first, end int64
}

func newTiny(flaw string, partitions int32) *tiny {
	return &tiny{
		flaw: flaw, partitions: partitions, changed: make(chan struct{}),
		logs: make([]tinyLog, partitions), refuse: make(map[int32]int), groups: make(map[string]*tinyGroup),
	}
}

// options let the suite at a tiny bus.
func (t *tiny) options(patience time.Duration) Options {
	return Options{Patience: patience, New: func(testing.TB) Bus {
		fresh := newTiny(t.flaw, t.partitions)
		return Bus{
			Partitions: t.partitions, Feed: fresh, Subscriber: fresh, Groups: true, TopicMayMiss: true,
			Again:    func(testing.TB) bus.Feed { return fresh },
			Recreate: func(testing.TB) { fresh.recreate() },
			Trim: func(_ testing.TB, partition int32, before int64) {
				fresh.change(func() { fresh.logs[partition].trim(before) })
			},
			SkipOffsets: func(_ testing.TB, partition int32) {
				fresh.change(func() { fresh.logs[partition].end += 2 })
			},
			Refuse: func(_ testing.TB, partition int32, after int) {
				fresh.change(func() { fresh.refuse[partition] = after + 1 })
			},
		}
	}}
}

// likeAStore lets the suite at the subscriber of a tiny bus of one partition,
// without topics that come and go.
func likeAStore(testing.TB) Bus {
	t := newTiny("", 1)
	t.life = 1
	return Bus{Partitions: 1, Subscriber: t, Append: func(_ context.Context, events []event.Envelope) error {
		t.change(func() {
			for _, e := range events {
				t.logs[0].add(0, bus.Encode(history, e))
			}
		})
		return nil
	}}
}

func (l *tinyLog) trim(before int64) {
	l.first = before
	l.records = slices.DeleteFunc(l.records, func(r bus.Record) bool { return r.Offset < before })
}

func (l *tinyLog) add(partition int32, m bus.Message) int64 {
	offset := l.end
	l.records = append(l.records, bus.Record{Message: m, Partition: partition, Offset: offset})
	l.end++
	return offset
}

// from returns up to n records from an offset on.
func (l *tinyLog) from(offset int64, n int) []bus.Record {
	at, _ := slices.BinarySearchFunc(l.records, offset, func(r bus.Record, o int64) int { return int(r.Offset - o) })
	return slices.Clone(l.records[at:min(len(l.records), at+n)])
}

// change makes a change and wakes who waits for one.
func (t *tiny) change(how func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	how()
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tiny) recreate() {
	t.change(func() {
		if t.flaw != flawSameID {
			t.life++
		}
		t.logs = make([]tinyLog, t.partitions)
	})
}

func (t *tiny) topic() bus.Topic {
	return bus.Topic{Name: "tiny", ID: fmt.Sprint("life ", t.life), Partitions: t.partitions}
}

// check is called with mu held.
func (t *tiny) check(topic bus.Topic) error {
	if topic != t.topic() && t.flaw != flawBlind {
		return bus.ErrTopicChanged
	}
	return nil
}

func (t *tiny) Open(context.Context) (topic bus.Topic, err error) {
	t.change(func() {
		if t.life == 0 || t.flaw == flawOpensAnother {
			t.life++
		}
		topic = t.topic()
	})
	return topic, nil
}

func (t *tiny) Bounds(_ context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(topic); err != nil {
		return nil, err
	}
	var bounds []bus.Bounds
	for p := range t.logs {
		bounds = append(bounds, t.bounds(int32(p)))
	}
	return bounds, nil
}

func (t *tiny) bounds(partition int32) bus.Bounds {
	l := &t.logs[partition]
	if t.flaw == flawBoundsOff {
		return bus.Bounds{First: l.first, End: l.end + 1}
	}
	return bus.Bounds{First: l.first, End: l.end}
}

func (t *tiny) Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		records, err := t.read(ctx, topic, partition, from, end)
		if err != nil {
			yield(bus.Record{}, err)
			return
		}
		for _, r := range records {
			if !yield(r, nil) && t.flaw != flawIgnoresStop {
				return
			}
		}
	}
}

func (t *tiny) read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) ([]bus.Record, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(topic); err != nil {
		return nil, err
	}
	if ctx.Err() != nil && t.flaw != flawReadIgnoresContext {
		return nil, ctx.Err()
	}
	l := &t.logs[partition]
	if from < l.first && t.flaw != flawReadSilentGap || end > l.end && t.flaw != flawReadSilentEnd {
		return nil, errors.New("records are gone")
	}
	records := l.from(from, len(l.records))
	if t.flaw == flawReadCapped {
		records = records[:min(1000, len(records))]
	}
	for i, r := range records {
		if r.Offset >= end && (t.flaw != flawReadInclusive || r.Offset > end) {
			return records[:i], nil
		}
		if t.flaw == flawHolesAreErrors && r.Offset != from+int64(i) {
			return nil, errors.New("a record is missing")
		}
		if t.flaw == flawDropsHeaders {
			records[i].Headers = r.Headers[:1]
		}
	}
	return records, nil
}

func (t *tiny) Producer(_ context.Context, topic bus.Topic) (bus.Producer, error) {
	return &tinyProducer{tiny: t, topic: topic, open: make(chan struct{})}, nil
}

type tinyProducer struct {
	*tiny
	topic  bus.Topic
	dead   error
	open   chan struct{}
	closed bool
}

func (p *tinyProducer) Close() {
	if p.flaw == flawCloseOnce {
		close(p.open)
	}
	p.closed = true
}

func (p *tinyProducer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	switch {
	case p.dead != nil && p.flaw != flawGoesOn:
		return nil, p.dead
	case p.closed && p.flaw != flawCloseForgets:
		return nil, errors.New("closed")
	case len(records) == 0 && p.flaw == flawNothingIsAnError:
		return nil, errors.New("nothing to publish")
	case ctx.Err() != nil:
		p.dead = ctx.Err()
		return nil, p.dead
	}
	var offsets []int64
	p.change(func() { offsets, p.dead = p.publish(records) })
	for _, haunt := range p.haunts {
		haunt()
	}
	return offsets, p.dead
}

func (p *tinyProducer) publish(records []bus.Placed) ([]int64, error) {
	for _, write := range p.late {
		write()
	}
	p.late = nil
	changed := p.check(p.topic)
	if changed != nil && p.flaw != flawNoticesLate {
		return nil, changed
	}
	if p.flaw == flawLosesLarge {
		records = append(slices.Clone(records[:min(700, len(records))]), records[min(701, len(records)):]...)
	}
	offsets := make([]int64, len(records))
	var failed error
	for start := 0; start < len(records); start += 50 {
		end := min(start+50, len(records))
		err := p.write(records[start:end], offsets[start:end])
		switch {
		case err == nil, p.flaw == flawPassesOver:
		case p.flaw == flawGoesOnInCall:
			failed = err
		default:
			return nil, err
		}
	}
	return offsets, errors.Join(failed, changed)
}

// write stores records in one go for each partition.
func (p *tinyProducer) write(records []bus.Placed, offsets []int64) error {
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	if p.flaw == flawReorders && len(order) > 1 {
		order[0], order[len(order)-1] = order[len(order)-1], order[0]
	}
	refused := make(map[int32]bool)
	for _, r := range records {
		if left := p.refuse[r.Partition]; left > 0 && !refused[r.Partition] {
			p.refuse[r.Partition]--
			refused[r.Partition] = left == 1
		}
	}
	var err error
	for _, i := range order {
		partition := records[i].Partition
		if refused[partition] {
			err = fmt.Errorf("partition %d: refused", partition)
			continue
		}
		if p.flaw == flawByKey {
			partition = bus.Partition(records[i].Key, p.partitions)
		}
		l := &p.logs[partition]
		if p.flaw == flawEarlyAck {
			offsets[i] = l.end + int64(len(p.late))
			p.late = append(p.late, func() { l.add(partition, records[i].Message) })
			continue
		}
		offsets[i] = l.add(partition, records[i].Message)
		if p.flaw == flawTwice && i == 3 {
			l.add(partition, records[i].Message)
		}
	}
	if p.flaw == flawWrongOffsets {
		offsets[0]++
	}
	return err
}
