package projection

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"passbook/es/event"
)

// ErrReason is returned for a reason that says nothing, or too much.
var ErrReason = errors.New("want a reason of 1 to 200 characters of text, without control characters")

const reasonLengthMax = 200

// NotInTheWayError says that a version of a stream cannot be discarded, since
// no event of that version is in the way of the stream.
type NotInTheWayError struct {
	Version int64
	// Parked is what the stream is parked for.
	Parked Parked
}

// Missing tells that nothing of the stream can be discarded: it is the absence
// of an event that keeps it, or nothing at all any more.
func (e *NotInTheWayError) Missing() bool { return heals(e.Parked.Reason) }

func (e *NotInTheWayError) Error() string {
	switch e.Parked.Reason {
	case ReasonGap:
		return fmt.Sprintf("there is no event to discard: version %d is missing; the stream goes on when it comes", e.Parked.Version)
	case ReasonDraining:
		return "there is no event to discard: nothing is in the way any more, what waited is being applied"
	case ReasonDifference, ReasonUnapplicable:
	}
	return fmt.Sprintf("version %d is not in the way of the stream, version %d is", e.Version, e.Parked.Version)
}

// Discard passes over the event that is in the way of a parked stream, the one
// that Parked names with Version and EventID: it is remembered as discarded by
// that person for that reason, and is never applied, nor by a read model that
// is built anew. What waited behind it is applied as Redrive does it, as far as
// it goes, the first of it in the same transaction; flows tells whether that was
// everything. An empty by stands for nobody in particular.
//
// It returns ErrReason, ErrNotParked, a *NotInTheWayError where the event in
// the way has another version or where there is none, or the engine's error.
// After one of those it may have taken place: the stream is not parked any more
// then, or another event is in the way.
//
// It may be called beside Run, and in any process.
func (p *Projection[Tx]) Discard(
	ctx context.Context, stream string, version int64, reason, by string,
) (flows bool, err error) {
	d := Discarded{Stream: stream, Version: version, Reason: reason, By: by}
	wrap := func(err error) error {
		return fmt.Errorf("projection %s: discard version %d of stream %s: %w", p.name, version, stream, err)
	}
	if !isReason(reason) {
		return false, wrap(ErrReason)
	}
	done, err := p.transact(ctx, func(tx Tx, a *attempt[Tx]) error { return a.discard(ctx, tx, &d) })
	if err != nil {
		return false, wrap(err)
	}
	p.config.Logger.Warn("event was discarded", "consumer", p.name, "stream", stream,
		"version", version, "event", d.EventID, "reason", reason, "by", by)
	p.waiters.wakeOf(stream) // for the event itself too, if nothing waited behind it
	if !done.more {
		return len(done.parked) == 0, nil
	}
	flows, err = p.Redrive(ctx, stream)
	if errors.Is(err, ErrNotParked) { // somebody else has drained the rest
		return true, nil
	}
	return flows, err
}

// discard does it in one transaction. It fills in the event's id and, run again,
// wants to find the same event: another of that version, which came into the way
// between two tries, is not what was asked for.
func (a *attempt[Tx]) discard(ctx context.Context, tx Tx, d *Discarded) error {
	store, name := a.p.store, a.p.name
	parked, discarded, err := store.LockParked(ctx, tx, name, []string{d.Stream})
	if err != nil {
		return err
	}
	was, isParked := parked[d.Stream]
	switch {
	case !isParked:
		return ErrNotParked
	case heals(was.Reason), was.Version != d.Version, d.EventID != "" && was.EventID != d.EventID:
		return &NotInTheWayError{Version: d.Version, Parked: was}
	}
	d.EventID = was.EventID
	if err := store.Discard(ctx, tx, name, *d); err != nil {
		return err
	}
	gone := []event.Envelope{{Stream: d.Stream, Version: d.Version, ID: d.EventID}}
	if err := store.Dequeue(ctx, tx, name, gone); err != nil {
		return err
	}
	return a.drain(ctx, tx, d.Stream, append(discarded, *d))
}

func isReason(s string) bool {
	n := utf8.RuneCountInString(s)
	if n < 1 || n > reasonLengthMax || !utf8.ValidString(s) {
		return false
	}
	blank := true
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
		blank = blank && unicode.IsSpace(r)
	}
	return !blank
}

// Discards returns discarded events, by stream, version and event id, those
// behind after, of which only these three count, limit at most. The zero value
// begins at the first.
func (p *Projection[Tx]) Discards(ctx context.Context, after Discarded, limit int) (page []Discarded, err error) {
	err = p.store.View(ctx, func(tx Tx) error {
		page, err = p.store.Discards(ctx, tx, p.name, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("projection %s: list discarded events: %w", p.name, err)
	}
	return page, nil
}
