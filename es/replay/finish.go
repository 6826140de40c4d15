package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// finishTimeout is for how long everybody else is kept from writing at most.
const finishTimeout = 2 * time.Second

// finish gives the next line the records that the live one is ahead of it, inside
// the swap, when nobody writes to either. Under a steady load the live line is
// always some records further by the time that the swap begins, however fast one
// was outside. It returns errBehind where that is too much, or did not work: then
// everything is rolled back, and more has to be done outside first.
func (n *build[Tx]) finish(ctx context.Context, tx Tx, saved []checkpoint.Progress, now map[int32]checkpoint.Progress) error {
	var lacking int64
	for _, old := range saved {
		if n.sameTopic(old) {
			lacking += max(0, old.Next-now[old.Partition].Next)
		}
	}
	if lacking == 0 {
		return nil
	}
	if lacking > int64(n.config.FinishMax) {
		return fmt.Errorf("%w by %d records", errBehind, lacking)
	}
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	store := &insideStore[Tx]{Store: n.config.Lines.Next(), tx: tx}
	inside, err := projection.New[Tx](n.config.Consumer, store, n.model, projection.Config{RunMax: n.config.RunMax, DrainMax: n.config.RunMax})
	if err != nil {
		return err
	}
	topic := bus.Topic(*n.restore.published.Live)
	last := &reader[Tx]{
		projection: inside, topic: topic, runMax: n.config.RunMax,
		feed:   n.topics.Topic(topic.Name, bus.TopicSettings{Partitions: topic.Partitions}),
		worked: func(context.Context, int32, int64) error { return nil },
	}
	if err := last.upTo(ctx, saved, n.sameTopic); err != nil {
		return fmt.Errorf("%w: %w", errBehind, err)
	}
	return nil
}

// upTo reads every partition up to where a checkpoint stands, as far as it counts.
func (r *reader[Tx]) upTo(ctx context.Context, saved []checkpoint.Progress, counts func(checkpoint.Progress) bool) error {
	bounds, err := r.feed.Bounds(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("read bounds of topic %s: %w", r.topic.Name, err)
	}
	r.next = make([]int64, len(bounds))
	for _, old := range saved {
		if !counts(old) || int(old.Partition) >= len(bounds) {
			continue
		}
		assignment := bus.Assignment{Topic: r.topic, Partition: old.Partition, Bounds: bounds[old.Partition]}
		if r.next[old.Partition], err = r.projection.Assign(ctx, assignment); err != nil {
			return err
		}
		for r.next[old.Partition] < old.Next {
			if err := r.partition(ctx, old.Partition, old.Next); err != nil {
				return err
			}
		}
	}
	return nil
}

// insideStore is a Store within a transaction that is open already. What fails in
// it cannot be taken back alone, so after the first error it does nothing more.
type insideStore[Tx any] struct {
	projection.Store[Tx]
	tx     Tx
	failed error
}

var errInside = errors.New("an earlier part of the transaction failed")

// Update implements projection.Store.
func (s *insideStore[Tx]) Update(_ context.Context, fn func(tx Tx) error) error {
	if s.failed != nil {
		return fmt.Errorf("%w: %w", errInside, s.failed)
	}
	s.failed = fn(s.tx)
	return s.failed
}

// View implements projection.Store.
func (s *insideStore[Tx]) View(ctx context.Context, fn func(tx Tx) error) error {
	return s.Update(ctx, fn)
}
