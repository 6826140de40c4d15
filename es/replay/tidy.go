package replay

import (
	"context"
	"fmt"

	"passbook/es/bus"
)

// tidyUp deletes the topics that no running restore needs, and takes restores of
// long ago off the log, when anything has changed since it did so last.
func (p *Publisher) tidyUp(ctx context.Context, h *held, running *entry) error {
	needed, now := bus.Topic{}, "nothing"
	if running != nil {
		now = running.ID
		if running.published != nil {
			needed = bus.Topic(*running.published.Replay)
			now += " in topic " + needed.ID
		}
	}
	if p.tidy == now {
		return nil
	}
	if err := p.deleteTopics(ctx, h, needed); err != nil {
		return err
	}
	if err := p.log.forget(ctx, p.config.Keep); err != nil {
		return fmt.Errorf("take old restores off the log: %w", err)
	}
	p.tidy = now
	return nil
}

// deleteTopics deletes all replay topics of the feed but one.
func (p *Publisher) deleteTopics(ctx context.Context, h *held, needed bus.Topic) error {
	topics, err := p.topics.List(ctx, replayPrefix(p.feed))
	if err != nil {
		return err
	}
	for _, topic := range topics {
		if topic == needed {
			continue
		}
		// It may be another's, who has the lease now.
		if err := h.confirm(ctx); err != nil {
			return err
		}
		if err := p.topics.Delete(ctx, topic); err != nil {
			return err
		}
		p.config.Logger.Info("topic of a restore is deleted", "topic", topic.Name)
	}
	return nil
}

// forget takes all but so many of the restores that are over off the log, and
// the requests that got another's restore.
func (l *Log) forget(ctx context.Context, keep int) error {
	leave, err := l.current(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var gone []bus.Placed
	for id := range l.restores.joined {
		gone = append(gone, tombstones(id)...)
	}
	over := 0
	for _, e := range l.restores.order {
		if e.State != StateRunning {
			over++
		}
	}
	for _, e := range l.restores.order {
		if over > keep && e.State != StateRunning {
			over--
			gone = append(gone, tombstones(e.ID)...)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return l.publish(ctx, gone)
}
