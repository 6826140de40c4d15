package relay

import (
	"context"
	"fmt"
	"log/slog"

	"passbook/es/bus"
)

// resume finds out how far the topic has come, and leaves that in l.at.
func (l *lap) resume(ctx context.Context) error {
	// Before anything is read of the store: so what is within the bounds must
	// be in the store.
	bounds, err := l.bounds(ctx)
	if err != nil {
		return err
	}
	l.status.bounds(bounds)

	doubt, err := l.doubt(ctx)
	if err != nil {
		return err
	}
	c := &comparison{lap: l}
	defer c.close()
	if doubt == "" {
		if doubt, err = c.takeUp(ctx, l.at, bounds); err != nil {
			return err
		}
	}
	if doubt != "" {
		c.begin(ctx, bounds)
	}
	l.announce(ctx, c.confirmed, doubt)
	if err := c.scan(ctx); err != nil {
		return err
	}
	l.at, l.dirty = c.result(), true
	l.status.confirm(l.at.confirmed)
	return nil
}

// announce gives a line, unless the relay is in trouble anyway and only looks
// whether that is over.
func (l *lap) announce(ctx context.Context, behind int64, doubt string) {
	level := slog.LevelInfo
	if l.Status().Err != nil {
		level = slog.LevelDebug
	}
	if doubt == "" {
		l.config.Logger.Log(ctx, level, "relay resumes", "topic", l.topic.Name, "behind", behind)
		return
	}
	l.config.Logger.Log(ctx, level, "relay compares the whole topic", "topic", l.topic.Name, "because", doubt)
}

// doubt says why the known progress is no use for this topic, or nothing. It
// returns an error if there must be no publishing at all.
func (l *lap) doubt(ctx context.Context) (string, error) {
	if l.at == nil {
		return "there is no checkpoint", nil
	}
	at, top := l.at, l.at.highest()
	switch {
	case at.topic != l.topic.ID:
		return "the topic is a new one", nil
	case top.position == 0:
		return "there was nothing in it", nil
	case at.history != l.source.History():
		return "", fmt.Errorf("%w: the checkpoint tells of history %s, the store is %s: give the relay a new topic",
			ErrOtherHistory, at.history, l.source.History())
	case len(at.lines) != int(l.topic.Partitions):
		return "", fmt.Errorf("%w: %d, they were %d: give the relay a new topic",
			ErrPartitions, l.topic.Partitions, len(at.lines))
	}
	return "", l.has(ctx, top.position, top.eventID)
}

// has checks that the store holds an event at a position.
func (l *lap) has(ctx context.Context, position int64, eventID string) error {
	for e, err := range l.source.ReadAll(ctx, position-1) {
		switch {
		case err != nil:
			return err
		case e.ID != eventID:
			return fmt.Errorf("%w: at position %d the store has event %s, the topic %s",
				ErrDiffers, position, e.ID, eventID)
		}
		return nil
	}
	return fmt.Errorf("%w: the topic holds position %d, event %s, where the store has none",
		ErrDiffers, position, eventID)
}

// takeUp opens the partitions where the known progress ends, or says why that
// cannot be: a topic that was cut at either end is not what the progress was
// made in.
func (c *comparison) takeUp(ctx context.Context, at *progress, bounds []bus.Bounds) (doubt string, err error) {
	c.confirmed = at.confirmed
	for p, b := range bounds {
		known := at.lines[p]
		switch {
		case b.First != known.first:
			doubt = fmt.Sprintf("partition %d starts at offset %d instead of %d", p, b.First, known.first)
		case b.End < known.next:
			doubt = fmt.Sprintf("partition %d ends at offset %d instead of %d", p, b.End, known.next)
		case known.position == 0: // there was no record yet
			c.open(ctx, p, known, known.next, b.End).start()
			continue
		default:
			// From the last known record on: it has to be there still.
			cursor := c.open(ctx, p, known, known.next-1, b.End)
			found, ok, err := cursor.next()
			if err != nil {
				return "", err
			}
			if ok && found.offset == known.next-1 && found.ID == known.eventID {
				cursor.start()
				continue
			}
			doubt = fmt.Sprintf("partition %d has another record at offset %d", p, known.next-1)
		}
		c.close()
		return doubt, nil
	}
	return "", nil
}

// begin opens all partitions at their beginning.
func (c *comparison) begin(ctx context.Context, bounds []bus.Bounds) {
	c.confirmed = 0
	for p, b := range bounds {
		c.open(ctx, p, line{first: b.First, next: b.First}, b.First, b.End).start()
	}
}
