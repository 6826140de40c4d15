package relay

import (
	"context"
	"fmt"
	"time"

	"passbook/es/bus"
)

// lap is what goes on between the opening of a topic and the first error: the
// topic is compared with the store, then one producer publishes. After an error
// nothing is known of what has arrived, so that only the next lap's comparison
// can go on.
type lap struct {
	*tenure
	topic    bus.Topic
	producer bus.Producer
	// sound tells of each partition that this lap's producer has published to
	// it behind a record that was still there then.
	sound []bool
	// checkedAt is when the topic was last known to be what it was.
	checkedAt time.Time
}

// lap opens and compares the topic, and publishes with a new producer, which is
// closed at the end.
func (t *tenure) lap(ctx context.Context, publish func(context.Context, *lap) error) error {
	t.status.resume()
	topic, err := t.feed.Open(ctx)
	if err != nil {
		return fmt.Errorf("open topic: %w", err)
	}
	t.status.open(topic)
	l := &lap{tenure: t, topic: topic, sound: make([]bool, topic.Partitions), checkedAt: time.Now()}
	if err := l.resume(ctx); err != nil {
		return fmt.Errorf("resume topic %s: %w", topic.Name, err)
	}
	if l.producer, err = t.feed.Producer(ctx, topic); err != nil {
		return fmt.Errorf("open producer for topic %s: %w", topic.Name, err)
	}
	defer l.producer.Close()
	return publish(ctx, l)
}

// forever publishes what there is and what comes, until an error.
//
// Who waits for an event may ask the store, and then reads it: two questions. While
// events come faster than the pace there will be some when the next page is due, and it
// is read without waiting for one.
func (l *lap) forever(ctx context.Context) error {
	for announced, often := false, false; ; {
		before, due := l.at.confirmed, time.Now().Add(l.config.Pace)
		if err := l.drain(ctx, 0); err != nil {
			return err
		}
		l.worked()
		published := l.at.confirmed > before
		if announced && !published {
			// An event was announced and is not to be read. This must not
			// become a loop without a pause.
			pause(ctx, l.config.RetryMin)
		}
		if announced = !often || !published; announced {
			asked := time.Now()
			if err := l.idle(ctx); err != nil {
				return err
			}
			often = time.Since(asked) < l.config.Pace
		}
		pause(ctx, time.Until(due))
	}
}

// idle waits for the next event, and does in the meantime what is due.
func (l *lap) idle(ctx context.Context) error {
	for {
		due := l.checkedAt.Add(l.config.CheckInterval)
		if saving := l.savedAt.Add(l.config.SaveInterval); l.dirty && saving.Before(due) {
			due = saving
		}
		wait, cancel := context.WithDeadline(ctx, due)
		err := l.source.Await(wait, l.at.confirmed)
		overdue := wait.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			return nil
		case !overdue:
			return fmt.Errorf("await events: %w", err)
		}
		if err := l.upkeep(ctx); err != nil {
			return err
		}
	}
}

// upkeep does what is to be done from time to time.
func (l *lap) upkeep(ctx context.Context) error {
	if err := l.saveDue(ctx); err != nil {
		return err
	}
	if time.Since(l.checkedAt) < l.config.CheckInterval {
		return nil
	}
	l.checkedAt = time.Now()
	return l.check(ctx)
}

// check looks whether the topic is still the same and as long as it has to be.
// A producer would notice, but only at the next event, which may be long in
// coming; and it does not look at partitions that get none.
func (l *lap) check(ctx context.Context) error {
	topic, err := l.feed.Open(ctx)
	if err != nil {
		return fmt.Errorf("check topic: %w", err)
	}
	if topic != l.topic {
		return fmt.Errorf("topic %s: %w", l.topic.Name, bus.ErrTopicChanged)
	}
	bounds, err := l.bounds(ctx)
	if err != nil {
		return err
	}
	for p, b := range bounds {
		if known := l.at.lines[p]; b.First != known.first || b.End < known.next {
			return fmt.Errorf("topic %s, partition %d: %w: offsets %d to %d are there, %d to %d should be",
				topic.Name, p, errTailLost, b.First, b.End, known.first, known.next)
		}
	}
	return nil
}

func (l *lap) bounds(ctx context.Context) ([]bus.Bounds, error) {
	bounds, err := l.feed.Bounds(ctx, l.topic)
	if err != nil {
		return nil, fmt.Errorf("read bounds of topic %s: %w", l.topic.Name, err)
	}
	if len(bounds) != int(l.topic.Partitions) {
		return nil, fmt.Errorf("topic %s has %d partitions and bounds of %d", l.topic.Name, l.topic.Partitions, len(bounds))
	}
	return bounds, nil
}

// worked is called whenever something was published or found to be so.
func (l *lap) worked() {
	l.wait.reset()
	l.status.worked(l.at.confirmed, l.config.Logger)
}
