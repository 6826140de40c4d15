package legacy

import (
	"context"
	"errors"
	"sync"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// sender publishes the pages of one lap.
type sender struct {
	*Bridge
	producer Producer
	group    *group

	mu   sync.Mutex
	tail *tail
	// last is where the last record of each account lies, as long as the
	// original's query service is not known to have dealt with it.
	last map[string]sent
}

// sent is the place of a record.
type sent struct {
	partition
	offset int64
}

// send publishes a page: accounts beside each other, the events of one account
// one after the other. It returns when all are acknowledged, or with the first
// error when nothing is under way any more.
func (s *sender) send(ctx context.Context, page []event.Envelope) error {
	accounts := make(map[string][]event.Envelope)
	for _, e := range page {
		accounts[e.Stream] = append(accounts[e.Stream], e)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, len(accounts))
	for _, events := range accounts {
		go func() {
			err := s.sendAccount(ctx, events)
			if err != nil {
				cancel()
			}
			results <- err
		}()
	}
	var first error
	for range accounts {
		// Those that were only stopped say less than the one that stopped them.
		if err := <-results; err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

func (s *sender) sendAccount(ctx context.Context, events []event.Envelope) error {
	for _, e := range events {
		if s.holds(e) {
			s.note(func(status *Status) { status.Skipped++ })
			continue
		}
		topic, message, err := encode(s.codec, e)
		if err != nil {
			return err
		}
		if before, ok := s.before(e.Stream); ok {
			if err := s.group.await(ctx, before); err != nil {
				return err
			}
		}
		number, offset, err := s.publish(ctx, topic, message)
		if err != nil {
			return err
		}
		s.published(e.Stream, sent{partition{topic, number}, offset})
	}
	return nil
}

// publishTimeout is for how long a record that is under way may stay so after
// everything else was told to stop: to know its fate is worth a wait, for a
// record that comes twice counts twice.
const publishTimeout = 3 * time.Second

func (s *sender) publish(ctx context.Context, topic string, m bus.Message) (number int32, offset int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err //nolint:wrapcheck // the context's end
	}
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(publishTimeout, cancel)
		context.AfterFunc(patient, func() { timer.Stop() })
	})
	defer stop()
	return s.producer.Publish(patient, topic, m) //nolint:wrapcheck // it names the topic
}

func (s *sender) holds(e event.Envelope) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.held[place{e.Stream, e.Version}]
}

func (s *sender) before(account string) (sent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.last[account]
	return before, ok
}

func (s *sender) published(account string, at sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.next[at.partition] = max(s.tail.next[at.partition], at.offset+1)
	s.last[account] = at
	if len(s.last) >= lastMax {
		for account, at := range s.last {
			if s.group.has(at) {
				delete(s.last, account)
			}
		}
	}
	s.note(func(status *Status) { status.Published++ })
}

// lastMax is how many accounts are remembered before those are forgotten that
// the service is through with.
const lastMax = 10_000
