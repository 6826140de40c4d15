package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"passbook/es/event"
)

// Counts are of what this process has done since it was started, committed work
// only. A commit whose outcome was unknown is not counted.
type Counts struct {
	// Applied events, and Duplicates that the gate dropped.
	Applied, Duplicates int64
	// Parked counts how often a stream was parked, Queued the events that went
	// to queues.
	Parked, Queued int64
	// Foreign records that were passed over, since they are no events.
	Foreign int64
	// Rewinds are partitions that were read again from the beginning, Fenced
	// batches that were rolled back because the checkpoint had been moved.
	Rewinds, Fenced int64
}

// Status is what readiness and metrics show of a projection.
type Status struct {
	Consumer string
	// Partitions that are assigned to this member, ascending by number.
	Partitions []PartitionStatus
	Counts     Counts
	// RedriveError is why parked streams could not be tried again; nil while
	// they could be, whatever came of it.
	RedriveError error
}

// PartitionStatus is how far one partition has come.
type PartitionStatus struct {
	Partition int32
	TopicID   string
	// Next is the offset to be read next, End the partition's end as last heard
	// of, Lag what lies between.
	Next, End, Lag int64
	// Position is that of the last event before the committed checkpoint. It
	// falls back while a partition is read again.
	Position int64
	// Err is what keeps the partition from going on; nil while it flows.
	Err error
}

// Status returns what is known of this member. It does no I/O.
func (p *Projection[Tx]) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{Consumer: p.name, Counts: p.counts, RedriveError: p.sweepErr}
	for _, number := range slices.Sorted(maps.Keys(p.partitions)) {
		s.Partitions = append(s.Partitions, p.partitions[number].status)
	}
	return s
}

// Parked returns parked streams in the order of their names, those behind name
// after, limit at most.
func (p *Projection[Tx]) Parked(ctx context.Context, after string, limit int) (streams []Parked, err error) {
	err = p.store.View(ctx, func(tx Tx) error {
		streams, err = p.store.ParkedStreams(ctx, tx, p.name, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("projection %s: list parked streams: %w", p.name, err)
	}
	return streams, nil
}

// CountParked returns how many streams are parked.
func (p *Projection[Tx]) CountParked(ctx context.Context) (count int64, err error) {
	err = p.store.View(ctx, func(tx Tx) error {
		count, err = p.store.CountParked(ctx, tx, p.name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("projection %s: count parked streams: %w", p.name, err)
	}
	return count, nil
}

// ParkedStream returns a parked stream and the front of its queue, or
// ErrNotParked.
func (p *Projection[Tx]) ParkedStream(
	ctx context.Context, stream string, limit int,
) (parked Parked, queue []event.Envelope, err error) {
	err = p.store.View(ctx, func(tx Tx) error {
		if parked, err = p.store.ParkedStream(ctx, tx, p.name, stream); err != nil {
			return err
		}
		queue, err = p.store.Queue(ctx, tx, p.name, stream, limit)
		return err
	})
	if err != nil {
		return Parked{}, nil, fmt.Errorf("projection %s: stream %s: %w", p.name, stream, err)
	}
	return parked, queue, nil
}

// show makes visible where a partition stands, with the error that keeps it
// there.
func (p *Projection[Tx]) show(part *partition, end int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &part.status
	s.Next, s.End, s.Err = part.read, max(end, s.End), err
	s.Lag = max(0, s.End-s.Next)
	s.Position = part.believed.Position
}

func (p *Projection[Tx]) showSweep(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.sweepErr == nil {
		p.config.Logger.Error("parked streams cannot be tried again now", "consumer", p.name, "error", err)
	}
	p.sweepErr = err
}

func (p *Projection[Tx]) count(c Counts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Applied += c.Applied
	p.counts.Duplicates += c.Duplicates
	p.counts.Parked += c.Parked
	p.counts.Queued += c.Queued
	p.counts.Foreign += c.Foreign
	p.counts.Rewinds += c.Rewinds
	p.counts.Fenced += c.Fenced
}

// tell counts, logs and signals what a committed transaction did.
func (p *Projection[Tx]) tell(done outcome) {
	for _, parked := range done.parked {
		if parked.Reason == ReasonDraining {
			continue
		}
		done.counts.Parked++
		p.config.Logger.Warn("stream is parked", "consumer", p.name, "stream", parked.Stream,
			"reason", string(parked.Reason), "version", parked.Version, "error", parked.Error)
	}
	p.count(done.counts)
	for stream, version := range done.visible {
		p.waiters.wake(stream, version)
	}
	if done.more {
		p.requestSweep()
	}
}
