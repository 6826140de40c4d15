package aggregate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// entry is one aggregate in memory. Decisions are made one after the other
// under its lock, on tip; nobody waits for the disk with the lock held.
type entry[S any] struct {
	stream string
	// users is guarded by the cache.
	users int
	// lock is a mutex that can be waited for with a context.
	lock chan struct{}
	// base is durable. It may lag behind what is durable by now.
	base point[S]
	// tip is base and what is in flight on top of it; inFlight is the last
	// commit of that, nil if there is none.
	tip      point[S]
	inFlight *eventstore.Pending
	// stale: base has to catch up with the store before the next decision.
	stale bool
}

// point is a state and the event that made it.
type point[S any] struct {
	state   S
	version int64
	eventID string
	time    time.Time
}

func newEntry[S any](stream string) *entry[S] {
	start := point[S]{version: event.NoVersion}
	return &entry[S]{stream: stream, lock: make(chan struct{}, 1), base: start, tip: start, stale: true}
}

func (e *entry[S]) acquire(ctx context.Context) error {
	select {
	case e.lock <- struct{}{}: // mostly at once, and then the context need not be asked
		return nil
	default:
	}
	select {
	case e.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stream %s: wait for its turn: %w: %w", e.stream, eventstore.ErrUnavailable, context.Cause(ctx))
	}
}

func (e *entry[S]) release() { <-e.lock }

// settle drops what was decided on a commit that did not become durable.
func (e *entry[S]) settle() {
	if e.inFlight == nil || !settled(e.inFlight) {
		return
	}
	if _, err := e.inFlight.Wait(context.Background()); err != nil {
		e.tip, e.stale = e.base, true
	}
	e.inFlight = nil
}

// notice takes down a version that the stream has certainly reached. Where that is
// beyond the tip, others have written: what would be decided now is lost already.
// With a commit in flight that is left to show by itself.
func (e *entry[S]) notice(version int64) {
	if e.inFlight == nil && version > e.tip.version {
		e.stale = true
	}
}

// confirm notes that a point is durable.
func (e *entry[S]) confirm(p point[S]) {
	if p.version > e.base.version {
		e.base = p
	}
}

// next returns the point behind p after an event with that payload.
func (r *Repository[S]) next(p point[S], e event.Envelope, payload any) point[S] {
	return point[S]{state: r.definition.Evolve(p.state, payload), version: p.version + 1, eventID: e.ID, time: e.Time}
}

// catchUp brings a stale entry level with the store.
func (r *Repository[S]) catchUp(ctx context.Context, e *entry[S]) error {
	if !e.stale {
		return nil
	}
	base := e.base
	if base.version == event.NoVersion {
		snapshot, err := r.fromSnapshot(ctx, e.stream)
		if err != nil {
			return err
		}
		base = snapshot
	}
	base, enough, err := r.foldRecent(e.stream, base)
	if err == nil && !enough {
		base, err = r.foldTail(ctx, e.stream, base, -1)
	}
	if err != nil {
		return err
	}
	e.base, e.tip, e.stale = base, base, false
	return nil
}

// foldRecent applies the events behind a point that the store has at hand, and tells
// whether that is enough: something has come that makes a new decision worthwhile,
// and nothing is known of that lies behind it. What is not known of, the store will
// object to.
func (r *Repository[S]) foldRecent(stream string, p point[S]) (_ point[S], enough bool, err error) {
	for _, envelope := range r.store.Recent(stream, p.version+1) {
		enough = true
		if p, err = r.fold(p, envelope); err != nil {
			return p, false, err
		}
	}
	return p, enough && p.version >= r.store.LeastVersion(stream), nil
}

// fold returns the point behind p after a stored event.
func (r *Repository[S]) fold(p point[S], e event.Envelope) (point[S], error) {
	payload, err := r.definition.Codec.Decode(e.Type, e.Data)
	if err != nil {
		return p, fmt.Errorf("stream %s: event at version %d: %w", e.Stream, e.Version, err)
	}
	return r.next(p, e, payload), nil
}

// foldTail applies the stream's events behind a point, up to version through
// where that is not negative.
func (r *Repository[S]) foldTail(ctx context.Context, stream string, p point[S], through int64) (point[S], error) {
	for envelope, err := range r.store.ReadStream(ctx, stream, p.version+1) {
		if err != nil {
			return p, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
		if through >= 0 && envelope.Version > through {
			break
		}
		if p, err = r.fold(p, envelope); err != nil {
			return p, err
		}
	}
	return p, nil
}

// fromSnapshot returns the point of the stream's snapshot, or the start where
// there is none that can be used: of another shape, or of another history than
// the events.
func (r *Repository[S]) fromSnapshot(ctx context.Context, stream string) (point[S], error) {
	start := point[S]{version: event.NoVersion}
	if r.definition.SnapshotSchema == 0 {
		return start, nil
	}
	snapshot, err := r.store.LoadSnapshot(ctx, stream)
	switch {
	case errors.Is(err, eventstore.ErrNoSnapshot):
		return start, nil
	case err != nil:
		return start, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	case snapshot.Schema != r.definition.SnapshotSchema:
		return start, nil
	}
	p := point[S]{version: snapshot.Version, eventID: snapshot.EventID}
	if err := json.Unmarshal(snapshot.Data, &p.state); err != nil {
		r.config.Logger.Warn("snapshot cannot be read, the events are", "stream", stream, "error", err)
		return start, nil
	}
	for envelope, err := range r.store.ReadStream(ctx, stream, snapshot.Version) {
		if err != nil {
			return start, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
		if envelope.ID == snapshot.EventID {
			p.time = envelope.Time
			return p, nil
		}
		break
	}
	r.config.Logger.Warn("snapshot is of another history, the events are read", "stream", stream, "version", snapshot.Version)
	return start, nil
}

// saveSnapshot keeps a durable point, if it is its turn. That it cannot costs
// a longer load later and nothing else, so nobody is told but the log.
func (r *Repository[S]) saveSnapshot(ctx context.Context, stream string, before int64, p point[S]) {
	every := int64(r.config.SnapshotEvery)
	if r.definition.SnapshotSchema == 0 || (before+1)/every == (p.version+1)/every {
		return
	}
	data, err := json.Marshal(p.state)
	if err == nil {
		err = r.store.SaveSnapshot(ctx, eventstore.Snapshot{
			Stream: stream, Version: p.version, EventID: p.eventID, Schema: r.definition.SnapshotSchema, Data: data,
		})
	}
	if err != nil {
		r.config.Logger.Warn("snapshot not saved", "stream", stream, "error", err)
	}
}
