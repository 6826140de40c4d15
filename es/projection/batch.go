package projection

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"passbook/es/checkpoint"
	"passbook/es/event"
)

// load is a batch of a partition, on its way into a transaction.
type load struct {
	part  *partition
	batch batch
}

// commit takes batches of different partitions, and the checkpoints behind them,
// in one transaction. With a *movedError it is one of theirs that was moved.
func (p *Projection[Tx]) commit(ctx context.Context, loads ...load) error {
	slices.SortFunc(loads, func(a, b load) int { return cmp.Compare(a.part.number, b.part.number) })
	var partitions []int32
	var progress []checkpoint.Progress
	var events []event.Envelope
	for _, l := range loads {
		partitions = append(partitions, l.part.number)
		progress = append(progress, l.batch.progress)
		events = append(events, l.batch.events...)
	}
	_, err := p.transact(ctx, func(tx Tx, a *attempt[Tx]) error {
		current, err := p.store.LockCheckpoints(ctx, tx, p.name, partitions...)
		if err != nil {
			return err
		}
		for i, l := range loads {
			if current[i] != l.part.believed {
				return &movedError{current: current[i]}
			}
		}
		if err := a.take(ctx, tx, events); err != nil {
			return err
		}
		return p.store.SaveCheckpoints(ctx, tx, p.name, progress...)
	})
	return err
}

// plan is what becomes of the first events of a batch.
type plan struct {
	// taken is how many events it is about: up to one that heals a stream, so
	// that the queue behind that is applied before what comes next.
	taken          int
	apply, enqueue []event.Envelope
	// park are streams that stop here.
	park []Parked
	// heal is a parked stream that may go on now, if it is not "".
	heal string
	// duplicates counts what is dropped.
	duplicates int64
}

// take applies, queues or drops each of the events, as if they came one by one.
func (a *attempt[Tx]) take(ctx context.Context, tx Tx, events []event.Envelope) error {
	for len(events) > 0 {
		parked, discarded, err := a.p.store.LockParked(ctx, tx, a.p.name, streamsOf(events))
		if err != nil {
			return err
		}
		g, err := loadGate(ctx, tx, a.p.model, events, discarded)
		if err != nil {
			return err
		}
		todo := a.plan(g, parked, events)
		if err := a.carryOut(ctx, tx, g, todo, discarded); err != nil {
			return err
		}
		events = events[todo.taken:]
	}
	return nil
}

func (a *attempt[Tx]) carryOut(ctx context.Context, tx Tx, g *gate, todo plan, discarded []Discarded) error {
	a.counts.Duplicates += todo.duplicates
	if err := a.apply(ctx, tx, g, todo.apply); err != nil {
		return err
	}
	for _, stop := range todo.park {
		if err := a.park(ctx, tx, stop); err != nil {
			return err
		}
	}
	if len(todo.enqueue) > 0 {
		queued, err := a.p.store.Enqueue(ctx, tx, a.p.name, todo.enqueue)
		if err != nil {
			return err
		}
		a.counts.Queued += int64(queued)
	}
	if todo.heal == "" {
		return nil
	}
	a.drained[todo.heal] = true
	return a.drain(ctx, tx, todo.heal, discarded)
}

// plan judges the events, in order. before is what was parked already; from
// where another stream has to stop, its events go to its queue too.
func (a *attempt[Tx]) plan(g *gate, before map[string]Parked, events []event.Envelope) plan {
	var todo plan
	parked := make(map[string]Parked, len(before))
	maps.Copy(parked, before)
	for _, e := range events {
		todo.taken++
		v := g.judge(e)
		if v == duplicate {
			todo.duplicates++
			continue
		}
		was, isParked := parked[e.Stream]
		stop, stops := a.stop(g, e, v)
		if !isParked && !stops {
			todo.apply = append(todo.apply, e)
			g.pass(e)
			continue
		}
		todo.enqueue = append(todo.enqueue, e)
		switch {
		case !isParked, v == difference && heals(was.Reason):
			parked[e.Stream] = stop
			todo.park = append(todo.park, stop)
		case a.canGoOn(was, v):
			// What was missing goes through the queue like what waits behind it.
			todo.heal = e.Stream
			return todo
		}
	}
	return todo
}

// canGoOn tells whether an event with that verdict sets a parked stream going.
// A queue is drained once in a transaction: what is left of it then is too long
// for one.
func (a *attempt[Tx]) canGoOn(was Parked, v verdict) bool {
	switch was.Reason {
	case ReasonGap:
		return v == next
	case ReasonDraining:
		return !a.drained[was.Stream]
	case ReasonDifference, ReasonUnapplicable:
	}
	return false
}

// heals tells whether a stream parked for that reason goes on by itself when
// the event that it waits for is there.
func heals(r Reason) bool { return r == ReasonGap || r == ReasonDraining }

// stop says how a stream is parked at e, if e cannot be applied now.
func (a *attempt[Tx]) stop(g *gate, e event.Envelope, v verdict) (Parked, bool) {
	switch {
	case v == gap:
		missing := g.reach(e.Stream) + 1
		return Parked{
			Stream: e.Stream, Reason: ReasonGap, Version: missing,
			Error: fmt.Sprintf("version %d is missing, version %d is there", missing, e.Version),
		}, true
	case v == difference:
		return Parked{
			Stream: e.Stream, Reason: ReasonDifference, Version: e.Version, EventID: e.ID,
			Error: fmt.Sprintf("event %s claims version %d, at which another event was applied", e.ID, e.Version),
		}, true
	case a.fails(e):
		return Parked{
			Stream: e.Stream, Reason: ReasonUnapplicable, Version: e.Version, EventID: e.ID,
			Error: strings.ReplaceAll(a.failed[e.Stream].Err.Error(), "\n", "; "),
		}, true
	}
	return Parked{}, false
}

// park keeps a stream as parked and remembers to tell of it.
func (a *attempt[Tx]) park(ctx context.Context, tx Tx, stop Parked) error {
	if i := slices.IndexFunc(a.parked, func(p Parked) bool { return p.Stream == stop.Stream }); i >= 0 {
		a.parked = slices.Delete(a.parked, i, i+1)
	}
	a.parked = append(a.parked, stop)
	return a.p.store.Park(ctx, tx, a.p.name, stop)
}
