package eventstore

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"passbook/es/event"
)

// pageEvents is how many events one read of the engine brings: long scans are
// many short reads, so that no engine has to keep a snapshot open for long.
const pageEvents = 1000

// ReadStream yields the durable events of a stream from version from, in
// order, up to the end that the stream had at some moment of the reading. It
// ends with ErrMissing if a version is skipped.
func (s *Store) ReadStream(ctx context.Context, stream string, from int64) iter.Seq2[event.Envelope, error] {
	return scan{
		next: max(from, 0),
		read: func(ctx context.Context, next int64) ([]event.Envelope, error) {
			return s.engine.ReadStream(ctx, stream, next, pageEvents)
		},
		number: func(e *event.Envelope) int64 { return e.Version },
		wrap: func(next int64, err error) error {
			return fmt.Errorf("stream %s: read version %d: %w", stream, next, err)
		},
	}.events(ctx)
}

// ReadAll yields the durable events of the store behind position after, in
// order, up to the head that the store had at some moment of the reading. It
// ends with ErrMissing if a position is skipped: what lies behind a gap is
// never handed out.
func (s *Store) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return scan{
		next: max(after, 0) + 1,
		read: func(ctx context.Context, next int64) ([]event.Envelope, error) {
			return s.engine.ReadAll(ctx, next-1, pageEvents)
		},
		number: func(e *event.Envelope) int64 { return e.Position },
		wrap:   func(next int64, err error) error { return fmt.Errorf("read position %d: %w", next, err) },
	}.events(ctx)
}

// scan reads page after page, in the order of some number that events have.
type scan struct {
	next   int64 // the number of the next event
	read   func(ctx context.Context, next int64) ([]event.Envelope, error)
	number func(*event.Envelope) int64
	wrap   func(next int64, err error) error
}

// events yields the events. While a full page is handed out the next one is read, so
// that a database and whoever takes the events work at the same time.
func (s scan) events(ctx context.Context) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		s := s
		ctx, stop := context.WithCancel(ctx)
		var reading sync.WaitGroup
		defer reading.Wait()
		defer stop()

		var page []event.Envelope
		var err error
		begin := func(next int64) { reading.Go(func() { page, err = s.read(ctx, next) }) }
		// The first page is mostly the only one, and is read by whoever asked: should
		// the engine panic, it is his.
		for page, err = s.read(ctx, s.next); ; reading.Wait() {
			if err != nil {
				yield(event.Envelope{}, s.wrap(s.next, err))
				return
			}
			taken, full := page, len(page) >= pageEvents || endedEarly(page)
			for i := range taken {
				if number := s.number(&taken[i]); number != s.next {
					yield(event.Envelope{}, s.wrap(s.next, fmt.Errorf("%w: found %d in its place", ErrMissing, number)))
					return
				}
				if !yield(taken[i], nil) {
					return
				}
				if s.next++; i == 0 && full { // who wants only the first does not pay for more
					begin(s.next + int64(len(taken)) - 1)
				}
			}
			if !full {
				return
			}
		}
	}
}

// endedEarly tells whether a page may have ended on account of its bytes, so that
// there may be more.
func endedEarly(page []event.Envelope) bool {
	bytes := 0
	for i := range page {
		bytes += len(page[i].Data)
	}
	return bytes >= PageBytes
}
