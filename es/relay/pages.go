package relay

import (
	"context"
	"iter"

	"passbook/es/bus"
	"passbook/es/event"
)

// page is a number of consecutive events on their way into the topic.
type page struct {
	// records leaves out events that their partitions have already; marks says
	// of each which event it is.
	records []bus.Placed
	marks   []mark
	// last is the position of the last event, left out or not.
	last int64
}

type mark struct {
	position int64
	eventID  string
}

// headerBytes is about what an event takes beside its data.
const headerBytes = 400

// rows cuts a sequence of events into rows within the limits; an event above
// them is a row alone. Events before an error come before it. A row is good until
// the next one is asked for, which takes its place.
func rows(
	events iter.Seq2[event.Envelope, error], countMax, bytesMax int,
) iter.Seq2[[]event.Envelope, error] {
	return func(yield func([]event.Envelope, error) bool) {
		var row []event.Envelope
		bytes := 0
		for e, err := range events {
			size := len(e.Data) + headerBytes
			full := len(row) >= countMax || bytes+size > bytesMax
			if len(row) > 0 && (full || err != nil) {
				if !yield(row, nil) {
					return
				}
				row, bytes = row[:0], 0
			}
			if err != nil {
				yield(nil, err)
				return
			}
			row = append(row, e)
			bytes += size
		}
		if len(row) > 0 {
			yield(row, nil)
		}
	}
}

// pages yields what there is to publish behind position after, up to the
// store's end. The next page is read and encoded while one is published.
// already has, for each partition, the position up to which it needs nothing.
func (l *lap) pages(ctx context.Context, after int64, already []int64) iter.Seq2[page, error] {
	type result struct {
		page page
		err  error
	}
	return func(yield func(page, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		ahead := make(chan result)
		defer func() {
			stop()
			for range ahead {
			}
		}()
		go func() {
			defer close(ahead)
			events, encoder := l.source.ReadAll(ctx, after), bus.NewEncoder(l.source.History())
			for row, err := range rows(events, l.config.PageEvents, l.config.PageBytes) {
				next := result{err: err}
				if err == nil {
					next.page = l.encode(encoder, row, already)
				}
				select {
				case ahead <- next:
				case <-ctx.Done():
					return
				}
			}
		}()
		for r := range ahead {
			if !yield(r.page, r.err) {
				return
			}
		}
	}
}

func (l *lap) encode(encoder *bus.Encoder, row []event.Envelope, already []int64) page {
	p := page{
		records: make([]bus.Placed, 0, len(row)),
		marks:   make([]mark, 0, len(row)),
		last:    row[len(row)-1].Position,
	}
	for i := range row {
		e := &row[i]
		partition := bus.Partition(e.Stream, l.topic.Partitions)
		if e.Position <= already[partition] {
			continue
		}
		p.records = append(p.records, bus.Placed{Message: encoder.Encode(e), Partition: partition})
		p.marks = append(p.marks, mark{position: e.Position, eventID: e.ID})
	}
	return p
}
