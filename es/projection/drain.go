package projection

import (
	"context"
	"slices"

	"passbook/es/event"
)

// drain applies the front of a parked stream's queue, as far as it goes and one
// transaction may, and lets the stream flow when nothing is left. The caller
// has locked the stream, and knows what was discarded of it.
func (a *attempt[Tx]) drain(ctx context.Context, tx Tx, stream string, discarded []Discarded) error {
	store, name, limit := a.p.store, a.p.name, a.p.config.DrainMax
	queue, err := store.Queue(ctx, tx, name, stream, limit+1) // one more, to see whether there is more
	if err != nil {
		return err
	}
	isWhole := len(queue) <= limit
	queue = queue[:min(limit, len(queue))]
	g, err := loadGate(ctx, tx, a.p.model, queue, discarded)
	if err != nil {
		return err
	}
	settled, apply, stop, stops := a.walk(g, queue)
	if err := a.apply(ctx, tx, g, apply); err != nil {
		return err
	}
	if len(settled) > 0 {
		if err := store.Dequeue(ctx, tx, name, settled); err != nil {
			return err
		}
	}
	switch {
	case stops:
		return a.park(ctx, tx, stop)
	case isWhole:
		a.parked = slices.DeleteFunc(a.parked, func(p Parked) bool { return p.Stream == stream })
		return store.Unpark(ctx, tx, name, stream)
	}
	a.more = true
	return a.park(ctx, tx, Parked{
		Stream: stream, Reason: ReasonDraining, Version: g.reach(stream) + 1,
		Error: "the events that waited are being applied",
	})
}

// walk goes along a queue up to what stops it. What is settled leaves the
// queue: what is to be applied, and what proves to be applied already.
func (a *attempt[Tx]) walk(g *gate, queue []event.Envelope) (settled, apply []event.Envelope, stop Parked, stops bool) {
	for _, e := range queue {
		v := g.judge(e)
		if stop, stops = a.stop(g, e, v); stops {
			return settled, apply, stop, true
		}
		settled = append(settled, e)
		if v == next {
			apply = append(apply, e)
			g.pass(e)
		}
	}
	return settled, apply, Parked{}, false
}
