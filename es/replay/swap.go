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

// readLive brings what has happened since into the line, and swaps it in.
func (n *build[Tx]) readLive(ctx context.Context) error {
	topic := bus.Topic(*n.restore.published.Live)
	live := &reader[Tx]{
		projection: n.live, topic: topic, runMax: n.config.RunMax,
		feed:   n.topics.Topic(topic.Name, bus.TopicSettings{Partitions: topic.Partitions}),
		worked: func(ctx context.Context, _ int32, _ int64) error { return n.beat(ctx) },
	}
	if err := n.catchUp(ctx, live); err != nil {
		return err
	}
	if err := n.compare(ctx); err != nil {
		return err
	}
	if err := n.enter(ctx, StepSwapping); err != nil {
		return err
	}
	for began, tries := time.Now(), 1; ; tries++ {
		err := n.trySwap(ctx, live)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, errBehind) && !errors.Is(err, errAhead):
			return err
		case time.Since(began) > n.config.Patience:
			return finalf("after %d tries: %w", tries, err)
		}
		if err := n.beat(ctx); err != nil {
			return err
		}
		// Each try keeps others from writing for a moment.
		if !pause(ctx, min(time.Duration(tries)*time.Millisecond, n.config.RetryMin)) {
			return context.Cause(ctx)
		}
	}
}

// catchUp reads the feed to the end that it has now.
func (n *build[Tx]) catchUp(ctx context.Context, live *reader[Tx]) error {
	if err := live.toEnd(ctx); err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	return n.drain(ctx)
}

// drain applies what was too much for one transaction: a stream whose missing
// event has come, with a long queue behind it.
func (n *build[Tx]) drain(ctx context.Context) error {
	for after := ""; ; {
		page, err := n.live.Parked(ctx, after, exceptionsPage)
		if err != nil {
			return err
		}
		for _, parked := range page {
			after = parked.Stream
			if parked.Reason != projection.ReasonDraining {
				continue
			}
			if _, err := n.live.Redrive(ctx, parked.Stream); err != nil {
				return err
			}
		}
		if len(page) < exceptionsPage {
			return nil
		}
	}
}

// compare counts what is parked, and what is other than in the old line.
func (n *build[Tx]) compare(ctx context.Context) error {
	return n.config.Lines.View(ctx, func(tx Tx) (err error) {
		if n.parked, err = n.config.Lines.Next().CountParked(ctx, tx, n.config.Consumer); err != nil {
			return err
		}
		if n.config.Compare == nil {
			return nil
		}
		if n.differences, err = n.config.Compare(ctx, tx, n.names); err != nil {
			return fmt.Errorf("compare the lines: %w", err)
		}
		return nil
	})
}

// trySwap swaps the line in, if nothing is in the way. The log is looked at
// before and not inside: nobody may write to the line that queries are
// answered from until the swap is over.
func (n *build[Tx]) trySwap(ctx context.Context, live *reader[Tx]) error {
	if err := n.current(ctx); err != nil {
		return err
	}
	if err := n.lease.confirm(ctx); err != nil {
		return err
	}
	if err := n.catchUp(ctx, live); err != nil {
		return err
	}
	err := n.config.Lines.Swap(ctx, n.line, n.config.Tables, n.check)
	if err == nil || errors.Is(err, errBehind) || errors.Is(err, errAhead) || isFinal(err) {
		return err
	}
	// A commit without an answer may have taken place.
	if now, _, unknown := n.lines(ctx); unknown == nil && now == n.line {
		return nil
	}
	return fmt.Errorf("swap in line %s: %w", n.line, err)
}

// check tells whether the next line may take the place of the live one, while
// nobody writes to either.
func (n *build[Tx]) check(ctx context.Context, tx Tx) error {
	lines, name := n.config.Lines, n.config.Consumer
	saved, err := lines.Checkpoints(ctx, tx, name)
	if err != nil {
		return err
	}
	built, err := lines.Next().Checkpoints(ctx, tx, name)
	if err != nil {
		return err
	}
	if err := n.finish(ctx, tx, saved, byPartition(built)); err != nil {
		return err
	}
	if built, err = lines.Next().Checkpoints(ctx, tx, name); err != nil {
		return err
	}
	before, now := byPartition(saved), byPartition(built)
	for _, old := range saved {
		if n.sameTopic(old) && now[old.Partition].Next < old.Next {
			return fmt.Errorf("partition %d: %w: at offset %d, that is at %d",
				old.Partition, errBehind, now[old.Partition].Next, old.Next)
		}
	}
	return n.checkParked(ctx, tx, before, now)
}

// sameTopic tells whether a place of the old line can be compared with one of
// the new line.
func (n *build[Tx]) sameTopic(old checkpoint.Progress) bool {
	return old.Topic == n.restore.published.Live.ID && old.History == n.restore.published.History
}

func byPartition(all []checkpoint.Progress) map[int32]checkpoint.Progress {
	by := make(map[int32]checkpoint.Progress, len(all))
	for _, p := range all {
		by[p.Partition] = p
	}
	return by
}

// checkParked makes sure that no stream flows in the old line and is parked in
// the new one. Where the old line is of another history, or has read nothing,
// there is nothing to be compared with.
func (n *build[Tx]) checkParked(ctx context.Context, tx Tx, before, now map[int32]checkpoint.Progress) error {
	lines, name := n.config.Lines, n.config.Consumer
	for after := ""; ; {
		page, err := lines.Next().ParkedStreams(ctx, tx, name, after, exceptionsPage)
		if err != nil {
			return err
		}
		for _, parked := range page {
			after = parked.Stream
			partition := bus.Partition(parked.Stream, n.restore.published.Live.Partitions)
			old := before[partition]
			if old.History != n.restore.published.History {
				continue
			}
			_, err := lines.ParkedStream(ctx, tx, name, parked.Stream)
			switch {
			case err == nil:
			case !errors.Is(err, projection.ErrNotParked):
				return err
			case n.sameTopic(old) && old.Next < now[partition].Next:
				return fmt.Errorf("%w: stream %s is parked in the new line: %s", errAhead, parked.Stream, parked.Error)
			default:
				return finalf("stream %s is parked in the new line and is not in the old one: %s", parked.Stream, parked.Error)
			}
		}
		if len(page) < exceptionsPage {
			return nil
		}
	}
}
