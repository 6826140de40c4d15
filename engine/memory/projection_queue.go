package memory

import (
	"bytes"
	"context"
	"slices"

	"passbook/es/event"
)

// Enqueue implements projection.Store.
func (s *ProjectionStore) Enqueue(
	ctx context.Context, tx *ProjectionTx, consumer string, events []event.Envelope,
) (added int, err error) {
	for _, e := range events {
		key := parkedKey{s.line(), consumer, e.Stream}
		queue := s.queues.rows[key]
		if slices.ContainsFunc(queue, isEvent(e)) {
			continue
		}
		e.Data = bytes.Clone(e.Data)
		at, _ := slices.BinarySearchFunc(queue, e, func(queued, e event.Envelope) int {
			if queued.Version <= e.Version { // behind those of its version
				return -1
			}
			return 1
		})
		// A new slice, so that the old one is there for a rollback.
		s.queues.put(tx, key, slices.Insert(slices.Clone(queue), at, e))
		added++
	}
	return added, ctx.Err()
}

// Queue implements projection.Store.
func (s *ProjectionStore) Queue(
	ctx context.Context, _ *ProjectionTx, consumer, stream string, limit int,
) ([]event.Envelope, error) {
	queue := s.queues.rows[parkedKey{s.line(), consumer, stream}]
	return slices.Clone(queue[:min(limit, len(queue))]), ctx.Err()
}

// Dequeue implements projection.Store.
func (s *ProjectionStore) Dequeue(
	ctx context.Context, tx *ProjectionTx, consumer string, events []event.Envelope,
) error {
	for _, e := range events {
		key := parkedKey{s.line(), consumer, e.Stream}
		left := slices.DeleteFunc(slices.Clone(s.queues.rows[key]), isEvent(e))
		if len(left) == 0 {
			s.queues.remove(tx, key)
		} else {
			s.queues.put(tx, key, left)
		}
	}
	return ctx.Err()
}

func isEvent(e event.Envelope) func(event.Envelope) bool {
	return func(other event.Envelope) bool { return other.Version == e.Version && other.ID == e.ID }
}
