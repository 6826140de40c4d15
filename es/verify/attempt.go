package verify

import (
	"context"
	"fmt"
	"slices"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// attempt is one comparison from beginning to end.
type attempt struct {
	System
	config Config
	report *Report

	history string
	// relay and consumer are the checkpoints, as they were before all else.
	relay, consumer []checkpoint.Progress
	// confirmed: all events up to it were in the topic, says the relay.
	confirmed int64
	line      string
	topic     bus.Topic
	bounds    []bus.Bounds
	head      int64
	// partitions are what the scan over the topic found out.
	partitions []*cursor
	done       int64 // of 2·head: events compared with the topic, and with the read model
}

func attemptOnce(ctx context.Context, s System, config Config) (*Report, error) {
	a := &attempt{System: s, config: config, report: newReport(config.DifferencesMax)}
	if err := a.take(ctx); err != nil {
		return nil, err
	}
	a.judgeCheckpoints()
	if err := a.scan(ctx); err != nil {
		return nil, err
	}
	if err := a.comparePages(ctx); err != nil {
		return nil, err
	}
	if err := a.listSetAside(ctx); err != nil {
		return nil, err
	}
	if err := a.unchanged(ctx); err != nil {
		return nil, err
	}
	a.config.Progress(a.head, a.head)
	return a.report, nil
}

// take reads what everything else is measured by, from right to left.
func (a *attempt) take(ctx context.Context) (err error) {
	if a.history, err = a.Store.History(ctx); err != nil {
		return fmt.Errorf("history of the event store: %w", err)
	}
	if a.relay, err = a.Relay.Load(ctx, a.config.RelayName); err != nil {
		return fmt.Errorf("checkpoint of the relay: %w", err)
	}
	err = a.Model.View(ctx, func(v View) error {
		if a.line, err = v.Line(ctx); err != nil {
			return err
		}
		a.consumer, err = v.Checkpoints(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("checkpoints of the read model: %w", err)
	}
	if a.topic, err = a.Feed.Find(ctx, a.config.Topic); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if a.bounds, err = a.Feed.Bounds(ctx, a.topic); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if a.head, err = a.Store.Head(ctx); err != nil {
		return fmt.Errorf("head of the event store: %w", err)
	}
	r := a.report
	r.History, r.Topic, r.TopicID, r.Line = a.history, a.topic.Name, a.topic.ID, a.line
	return nil
}

// unchanged returns errReplaced if what was compared is not there any more.
func (a *attempt) unchanged(ctx context.Context) error {
	history, err := a.Store.History(ctx)
	if err != nil {
		return fmt.Errorf("history of the event store: %w", err)
	}
	topic, err := a.Feed.Find(ctx, a.config.Topic)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if history != a.history || topic != a.topic {
		return fmt.Errorf("%w: history %s and topic id %s, they were %s and %s",
			errReplaced, history, topic.ID, a.history, a.topic.ID)
	}
	return a.view(ctx, func(View) error { return nil })
}

// view reads of the read model, if it still is the one that was there first.
func (a *attempt) view(ctx context.Context, fn func(v View) error) error {
	err := a.Model.View(ctx, func(v View) error {
		line, err := v.Line(ctx)
		if err != nil {
			return err
		}
		if line != a.line {
			return fmt.Errorf("%w: the read model's line is %s, it was %s", errReplaced, line, a.line)
		}
		return fn(v)
	})
	if err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	return nil
}

// step counts events as compared.
func (a *attempt) step(events int64) {
	a.done = min(a.done+events, 2*a.head)
	a.config.Progress(a.done/2, a.head)
}

// progressIn returns the progress in a partition, or nil.
func progressIn(all []checkpoint.Progress, partition int32) *checkpoint.Progress {
	i := slices.IndexFunc(all, func(p checkpoint.Progress) bool { return p.Partition == partition })
	if i < 0 {
		return nil
	}
	return &all[i]
}
