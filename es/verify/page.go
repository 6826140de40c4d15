package verify

import (
	"context"
	"fmt"
	"slices"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// listMax is how many parked streams or discarded events one statement brings.
const listMax = 500

// leaf is a page with what else is known of its streams, as of the same moment.
type leaf struct {
	Page
	parked      map[string]projection.Parked
	discarded   map[string][]projection.Discarded
	checkpoints []checkpoint.Progress
}

// comparePages goes through the read model, page by page, and compares each part
// with its stream in the store.
func (a *attempt) comparePages(ctx context.Context) error {
	var last *walk // a stream that goes on in the next page
	for at := &start; at != nil; {
		var l leaf
		err := a.view(ctx, func(v View) (err error) {
			l, err = a.readLeaf(ctx, v, *at)
			return err
		})
		if err != nil {
			return err
		}
		for _, part := range l.Parts {
			if last == nil || last.stream != part.Stream {
				last = a.walk(part.Stream)
			}
			if err := last.take(ctx, part, &l); err != nil {
				return err
			}
		}
		a.step(0)
		at = l.Next
	}
	for _, cur := range a.partitions {
		if cur.aheadRows > 0 {
			a.report.notef(NoteReadAgain, "", "partition %d is read again by the read model from offset %d: %d rows are ahead of that",
				cur.partition, cur.before, cur.aheadRows)
		}
	}
	return nil
}

func (a *attempt) readLeaf(ctx context.Context, v View, at Cursor) (l leaf, err error) {
	if l.Page, err = v.Page(ctx, at); err != nil || len(l.Parts) == 0 {
		return l, err
	}
	last := l.Parts[len(l.Parts)-1].Stream
	if l.checkpoints, err = v.Checkpoints(ctx); err != nil {
		return l, err
	}
	if l.parked, err = parkedBetween(ctx, v, at.Stream, last); err != nil {
		return l, err
	}
	l.discarded, err = discardedBetween(ctx, v, at.Stream, last)
	return l, err
}

// parkedBetween returns the parked streams from first to last.
func parkedBetween(ctx context.Context, v View, first, last string) (map[string]projection.Parked, error) {
	all := make(map[string]projection.Parked)
	if one, isParked, err := v.ParkedStream(ctx, first); err != nil {
		return nil, err
	} else if isParked {
		all[first] = one
	}
	for after := first; after < last; {
		some, err := v.ParkedStreams(ctx, after, listMax)
		if err != nil {
			return nil, err
		}
		for _, one := range some {
			all[one.Stream] = one
			after = one.Stream
		}
		if len(some) < listMax {
			break
		}
	}
	return all, nil
}

// discardedBetween returns what was discarded of the streams from first to last.
func discardedBetween(ctx context.Context, v View, first, last string) (map[string][]projection.Discarded, error) {
	all := make(map[string][]projection.Discarded)
	for after := (projection.Discarded{Stream: first, Version: -1}); after.Stream <= last; {
		some, err := v.Discards(ctx, after, listMax)
		if err != nil {
			return nil, err
		}
		for _, one := range some {
			all[one.Stream] = append(all[one.Stream], one)
			after = one
		}
		if len(some) < listMax {
			break
		}
	}
	return all, nil
}

// listSetAside tells of parked streams and of discarded events, which are no
// differences: they are known, and wait for a person.
func (a *attempt) listSetAside(ctx context.Context) error {
	for after, more := "", true; more; {
		var some []projection.Parked
		err := a.view(ctx, func(v View) (err error) {
			some, err = v.ParkedStreams(ctx, after, listMax)
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range some {
			a.report.Parked++
			a.report.notef(NoteParked, p.Stream, "at version %d, %s, %d events wait: %s", p.Version, p.Reason, p.Queued, p.Error)
			after = p.Stream
		}
		more = len(some) == listMax
	}
	for after, more := (projection.Discarded{}), true; more; {
		var some []projection.Discarded
		err := a.view(ctx, func(v View) (err error) {
			some, err = v.Discards(ctx, after, listMax)
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range some {
			a.report.Discarded++
			a.report.notef(NoteDiscarded, d.Stream, "version %d, event %s, by %s: %s", d.Version, d.EventID, orNobody(d.By), d.Reason)
			after = d
		}
		more = len(some) == listMax
	}
	return nil
}

func orNobody(by string) string {
	if by == "" {
		return "somebody"
	}
	return by
}

// rowAhead counts a row that has an event whose record lies behind the model's
// checkpoint: as long as that has not moved, the partition is being read again.
func (a *attempt) rowAhead(stream string, row *Row, l *leaf) {
	cur := a.cursorOf(stream)
	if row.Position > cur.applied && row.Position <= cur.placed && slices.Equal(l.checkpoints, a.consumer) {
		cur.aheadRows++
	}
}

// columns names cells that differ.
func columns(names, got, want []string) (faults []string) {
	for i, name := range names {
		if got[i] != want[i] {
			faults = append(faults, fmt.Sprintf("%s is %s, by the events %s", name, got[i], want[i]))
		}
	}
	return faults
}
